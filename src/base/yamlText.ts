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

/** A text as people write it as a value in YAML, also inside of braces: in quotes where it would be read as something else. */
export function yamlValue(text: string): string {
  const isPlain = /^[A-Za-z_/][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
  return isPlain ? text : JSON.stringify(text)
}
