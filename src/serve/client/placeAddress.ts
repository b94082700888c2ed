import type { Place } from './navigation.ts'

/** The address of a place with some of its parameters changed, below the base path; null takes one away. */
export function addressWith(
  { path, parameters }: Pick<Place, 'path' | 'parameters'>,
  changes: Readonly<Record<string, string | null>>,
): string {
  const changed = new URLSearchParams(parameters)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) changed.delete(name)
    else changed.set(name, value)
  }
  const query = changed.toString()
  return query === '' ? path : `${path}?${query}`
}
