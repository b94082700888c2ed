import { isMap, isScalar } from 'yaml'
import { InputError } from '../../base/errors.ts'
import { parseYaml } from '../../base/yamlText.ts'

export interface ConfigEntry {
  readonly key: string
  readonly value: unknown
  /** `cluster.yaml:3:1` */
  readonly where: string
}

/**
 * The top-level entries of a config file (YAML, of which JSON is a part) with the place of each. Raises InputError
 * `bad-option` with line and column for text that is no YAML, holds a key twice, or is no mapping.
 */
export function parseConfigFile(name: string, text: string): ConfigEntry[] {
  const { document, placeOf } = parseYaml(
    name,
    text,
    (place, reason) => new InputError('bad-option', `${place}: not valid YAML or JSON (${reason})`),
  )
  const root = document.contents
  if (root === null) return []
  if (!isMap(root)) {
    throw new InputError(
      'bad-option',
      `${placeOf(root.range?.[0] ?? 0)}: a config file holds lines of the form "option: value"`,
    )
  }
  const values = new Map(Object.entries(document.toJS() as Record<string, unknown>))
  return root.items.map(({ key: node }) => {
    const key = isScalar(node) ? String(node.value) : String(node)
    return { key, value: values.get(key), where: placeOf(isScalar(node) ? (node.range?.[0] ?? 0) : 0) }
  })
}
