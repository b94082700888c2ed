import type { ComponentType } from 'preact'
import type { Place } from './navigation.ts'
import { BrowseScreen } from './screens/browse.tsx'
import { CompareScreen } from './screens/compare.tsx'
import { LiveScreen } from './screens/live.tsx'
import { SampleScreen } from './screens/sample.tsx'
import { SetScreen } from './screens/set.tsx'
import { SetsScreen } from './screens/sets.tsx'

/** A screen, and the paths at which it is shown. Its groups are the set's id and, of a sample, the run's. */
interface ScreenEntry {
  readonly path: RegExp
  readonly screen: ComponentType<{ readonly place: Place; readonly set: string; readonly run: string }>
}

const screens: readonly ScreenEntry[] = [
  { path: /^\/$/, screen: SetsScreen },
  { path: /^\/sets\/(?<set>[^/]+)$/, screen: SetScreen },
  { path: /^\/sets\/(?<set>[^/]+)\/browse$/, screen: BrowseScreen },
  { path: /^\/sets\/(?<set>[^/]+)\/runs\/(?<run>[^/]+)\/sample$/, screen: SampleScreen },
  { path: /^\/compare$/, screen: CompareScreen },
  { path: /^\/live$/, screen: LiveScreen },
]

/** The screen of a path; undefined where there is none. */
export function screenAt(path: string): { screen: ScreenEntry['screen']; set: string; run: string } | undefined {
  for (const { path: pattern, screen } of screens) {
    const found = pattern.exec(path)
    if (found === null) continue
    return {
      screen,
      set: decodeURIComponent(found.groups?.['set'] ?? ''),
      run: decodeURIComponent(found.groups?.['run'] ?? ''),
    }
  }
  return undefined
}
