/** Each field's path and type, e.g. `sets[].hold: null|object`; `absent` where only some elements of an array have it. */
export function fieldsOf(document: unknown): string[] {
  const types = new Map<string, Set<string>>()
  const add = (path: string, type: string) => types.set(path, (types.get(path) ?? new Set()).add(type))
  const walk = (value: unknown, path: string): void => {
    if (path !== '') add(path, typeOf(value))
    if (Array.isArray(value)) {
      for (const element of value) walk(element, `${path}[]`)
      const objects = value.filter((element) => typeOf(element) === 'object') as object[]
      for (const name of new Set(objects.flatMap((object) => Object.keys(object)))) {
        if (objects.some((object) => !Object.hasOwn(object, name))) add(`${path}[].${name}`, 'absent')
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) walk(member, path === '' ? name : `${path}.${name}`)
    }
  }
  walk(document, '')
  return [...types].map(([path, seen]) => `${path}: ${[...seen].sort().join('|')}`).sort()
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

/** Of the frozen fields those that are missing now, or of a type that they did not have, as they are now. */
export function amiss(before: readonly string[], now: readonly string[]): string[] {
  const split = (field: string) => [field.slice(0, field.lastIndexOf(': ')), field.slice(field.lastIndexOf(': ') + 2)]
  const types = new Map(now.map((field) => split(field) as [string, string]))
  return before.flatMap((field) => {
    const [path = '', known = ''] = split(field)
    const type = types.get(path) ?? 'absent'
    return type.split('|').every((one) => known.split('|').includes(one)) ? [] : [`${path}: ${type}`]
  })
}
