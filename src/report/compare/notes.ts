import { areOfOneSet, type ComparedTable } from './comparedTable.ts'
import type { Comparison } from './comparison.ts'
import { commonObjectives } from './mapComparison.ts'
import type { SetDifference } from './setDifferences.ts'

/** A run that is not finished. */
export interface OpenRun {
  /** URI of its result set. */
  readonly resultSet: string
  readonly run: string
}

/** What a reader has to know before the figures are believed; sentences for people. */
export function notesOn({
  a,
  b,
  differences,
  numbers,
  hasPlaces,
  openRuns,
}: {
  readonly a: ComparedTable
  readonly b: ComparedTable
  readonly differences: readonly SetDifference[]
  readonly numbers: Pick<Comparison, 'images' | 'all' | 'intervalBasis' | 'maps'>
  readonly hasPlaces: { readonly a: boolean; readonly b: boolean }
  readonly openRuns: readonly OpenRun[]
}): string[] {
  const { images } = numbers
  const notes: string[] = []
  if (areOfOneSet(a, b) && a.run === b.run) notes.push('A and B are the same table, so that nothing can differ.')
  if (images.compared === 0) {
    notes.push('No image is the same in both and failed in neither, so that no error is compared.')
  }
  if (images.changed > 0 && differences.some(({ what }) => what === 'read as' || what === 'dataset')) {
    notes.push(
      'The datasets were read in two ways: what a fingerprint is made of is not the same, so that images may count as changed that are not.',
    )
  }
  if (images.otherLabel > 0) {
    notes.push(
      `${count(images.otherLabel)} of the compared have other labels in A than in B; each error is against its own.`,
    )
  }
  if (images.otherCrop > 0) {
    notes.push(
      `The networks saw other rectangles of ${count(images.otherCrop)} of the compared, so that one place of two maps is not one place of the image.`,
    )
  }
  for (const { resultSet, run } of openRuns) {
    notes.push(
      `Run ${run} of ${resultSet} is not finished and overwrites maps as it goes, so that a picture may already show a map of its own.`,
    )
  }
  if (numbers.all.n > 0 && numbers.maps === null) notes.push(mapsNote(a, b, hasPlaces))
  return notes
}

function mapsNote(a: ComparedTable, b: ComparedTable, hasPlaces: { readonly a: boolean; readonly b: boolean }): string {
  if (commonObjectives(a, b).length === 0)
    return 'The result sets share no objective, so that their maps are not compared.'
  const lacking = hasPlaces.a ? 'B' : 'A'
  const table = hasPlaces.a ? b : a
  const why = 'is of an earlier version, which did not write down where small maps lie, so that maps are not compared'
  return table.run === table.stateRun
    ? `${lacking} ${why}; headlight report ${table.output.uri} makes up for it.`
    : `${lacking} ${why}.`
}

const count = (images: number): string => (images === 1 ? '1 image' : `${images.toLocaleString('en-US')} images`)
