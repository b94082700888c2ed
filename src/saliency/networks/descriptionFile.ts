import { isMap, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { InputError } from '../../errors.ts'
import { closest } from '../../spelling.ts'
import { overrideSchema, type DescriptionOverride } from './description.ts'

/**
 * The text of a `<file>.yaml`. InputError `bad-description` with line and column for text that is no YAML, an unknown
 * key (with the one that was probably meant) or a value that is not allowed.
 */
export function parseDescription(text: string, file: string): DescriptionOverride {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [problem] = document.errors
  if (problem) {
    const reason = (problem.message.split('\n')[0] ?? '').replace(/[.:]+$/, '')
    throw new InputError('bad-description', `${place(problem.pos[0])}: not valid YAML (${reason})`)
  }
  const { data, error } = overrideSchema.safeParse(valueOf(document, file))
  if (data) return data
  const { path, key, message } = explain(error)
  throw new InputError('bad-description', `${place(offsetOf(document, path, key))}: ${message}`)
}

/** An override that is data already. InputError `bad-description` naming the path. */
export function checkOverride(override: unknown, file: string): DescriptionOverride {
  const { data, error } = overrideSchema.safeParse(override ?? {})
  if (data) return data
  throw new InputError('bad-description', `The description of ${file}: ${explain(error).message}`)
}

function valueOf(document: Document, file: string): unknown {
  try {
    return (document.toJS() as unknown) ?? {}
  } catch {
    // The library counts how often aliases are expanded: a small file must not fill the memory.
    throw new InputError('bad-description', `${file}: its aliases expand too often; write the values out.`)
  }
}

/** The first thing that is wrong. `key` is an unknown key below `path`. */
function explain(error: z.ZodError): { path: PropertyKey[]; key: string | undefined; message: string } {
  const [issue] = error.issues
  if (!issue) return { path: [], key: undefined, message: error.message }
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const known = keysAt(issue.path)
    const meant = closest(key, known)
    const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean "${meant}"?`
    return { path: issue.path, key, message: `unknown key "${[...issue.path, key].join('.')}"; ${hint}` }
  }
  const where = issue.path.length > 0 ? issue.path.join('.') : 'the description'
  const reason = issue.message
    .replace(/^Invalid (?:input|option): /, '')
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase())
  return { path: issue.path, key: undefined, message: `${where} cannot be read: ${reason}` }
}

function keysAt(path: readonly PropertyKey[]): string[] {
  const { shape } = overrideSchema
  if (path.length === 0) return Object.keys(shape)
  if (path[0] === 'input') return Object.keys(shape.input.unwrap().shape)
  return Object.keys(shape.heads.unwrap().element.shape)
}

/** Where the value at `path`, or the key below it, begins in the text. */
function offsetOf(document: Document, path: readonly PropertyKey[], key: string | undefined): number {
  const node = path.length === 0 ? document.contents : document.getIn(path, true)
  if (key !== undefined && isMap(node)) {
    const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
    if (pair && isScalar(pair.key)) return pair.key.range?.[0] ?? 0
  }
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : 0
}
