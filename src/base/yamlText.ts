import { LineCounter, parseDocument, type Document } from 'yaml'

export interface YamlText {
  readonly document: Document
  /** `name:line:column` of an offset in the text. */
  readonly placeOf: (offset: number) => string
}

/**
 * Parses YAML (of which JSON is a part) so that whatever is wrong later can be said with its place. `refuse` makes the
 * error for text that is no YAML, or holds a key twice.
 */
export function parseYaml(name: string, text: string, refuse: (place: string, reason: string) => Error): YamlText {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const [problem] = document.errors
  if (problem) throw refuse(placeOf(problem.pos[0]), (problem.message.split('\n')[0] ?? '').replace(/[.:]+$/, ''))
  return { document, placeOf }
}
