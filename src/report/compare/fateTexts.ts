import type { MapFate } from './standingMaps.ts'

/** Why a map is not shown, as the end of a sentence. Without imports of code: pages in a browser say it as well. */
export const fateTexts: Readonly<Record<Exclude<MapFate, 'stands'>, string>> = {
  overwritten: 'a later run has overwritten its map',
  gone: 'its image is no longer in the state, so that the map may be another’s',
  unknown: 'whether the map is still that of this run is not known: an earlier version wrote it',
}
