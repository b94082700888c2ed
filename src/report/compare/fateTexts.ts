import type { MapFate } from './standingMaps.ts'

/** Why a map is not shown, as the end of a sentence. Without imports of code: pages in a browser say it as well. */
export const fateTexts: Readonly<Record<Exclude<MapFate, 'stands'>, string>> = {
  overwritten: 'a later run has overwritten its map',
  gone: 'its image is no longer in the state, so the map may be another’s',
  unknown: 'it may be another run’s: an earlier version of headlight wrote it',
}
