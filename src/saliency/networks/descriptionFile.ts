import { isMap, isPair, isScalar, type Document } from 'yaml'
import { InputError } from '../../base/errors.ts'
import { parseYaml } from '../../base/yamlText.ts'
import { descriptionFileSchema, type DescriptionFile, type DescriptionOverride } from './description.ts'
import { firstProblem } from './descriptionProblem.ts'

/** What the text of a `<file>.yaml` overrides. Raises what `parseDescriptionFile` raises. */
export function parseDescription(text: string, file: string): DescriptionOverride {
  const { about: _about, fits: _fits, ...override } = parseDescriptionFile(text, file)
  return override
}

/**
 * The text of a description file, with what it says of itself. InputError `bad-description` with line and column for text that is no YAML, an unknown
 * key (with the one that was probably meant) or a value that is not allowed.
 */
export function parseDescriptionFile(text: string, file: string): DescriptionFile {
  const { document, placeOf } = parseYaml(
    file,
    text,
    (place, reason) => new InputError('bad-description', `${place}: not valid YAML (${reason})`),
  )
  const value = valueOf(document, file)
  const { data, error } = descriptionFileSchema.safeParse(value)
  if (data) return data
  const { path, key, message } = firstProblem(error, value)
  throw new InputError('bad-description', `${placeOf(offsetOf(document, path, key))}: ${message}`)
}

function valueOf(document: Document, file: string): unknown {
  try {
    return (document.toJS() as unknown) ?? {}
  } catch {
    // The library counts how often aliases are expanded: a small file must not fill the memory.
    throw new InputError('bad-description', `${file}: its aliases expand too often; write the values out`)
  }
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
