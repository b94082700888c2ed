/** The screens that have a path of their own. */
export type ScreenName = 'sets' | 'set' | 'browse' | 'sample' | 'compare' | 'live'

/** Paths at which screens are shown. Their groups are the set's id and, of a sample, the run's. */
const patterns: readonly (readonly [ScreenName, RegExp])[] = [
  ['sets', /^\/$/],
  ['set', /^\/sets\/(?<set>[^/]+)\/?$/],
  ['browse', /^\/sets\/(?<set>[^/]+)\/browse\/?$/],
  ['sample', /^\/sets\/(?<set>[^/]+)\/runs\/(?<run>[^/]+)\/sample\/?$/],
  ['compare', /^\/compare\/?$/],
  ['live', /^\/live\/?$/],
]

/** Which screen a path below the base path leads to, and of what; undefined where there is none. */
export function screenOf(path: string): { name: ScreenName; set: string; run: string } | undefined {
  for (const [name, pattern] of patterns) {
    const found = pattern.exec(path)
    if (found === null) continue
    const set = decoded(found.groups?.['set'])
    const run = decoded(found.groups?.['run'])
    return set === undefined || run === undefined ? undefined : { name, set, run }
  }
  return undefined
}

/** Undefined where the escapes are none, as in `%E0%A4%A`. */
function decoded(part = ''): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
