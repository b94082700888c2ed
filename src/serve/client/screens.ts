import type { ComponentType } from 'preact'
import type { Place } from './navigation.ts'
import { screenOf, type ScreenName } from './screenPaths.ts'
import { BrowseScreen } from './screens/browse.tsx'
import { CompareScreen } from './screens/compare.tsx'
import { LiveScreen } from './screens/live.tsx'
import { SampleScreen } from './screens/sample.tsx'
import { SetScreen } from './screens/set.tsx'
import { SetsScreen } from './screens/sets.tsx'

type Screen = ComponentType<{ readonly place: Place; readonly set: string; readonly run: string }>

const screens: Readonly<Record<ScreenName, Screen>> = {
  sets: SetsScreen,
  set: SetScreen,
  browse: BrowseScreen,
  sample: SampleScreen,
  compare: CompareScreen,
  live: LiveScreen,
}

/** The screen of a path; undefined where there is none. */
export function screenAt(path: string): { screen: Screen; set: string; run: string } | undefined {
  const found = screenOf(path)
  return found && { ...found, screen: screens[found.name] }
}
