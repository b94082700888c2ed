import { anglesWithErrors, beyondLabelLimit, rowGeodesicError } from '../../output/rowErrors.ts'
import type { TableRow } from '../../output/table.ts'
import { angleNames, type AngleName, type Degrees } from '../../pose/euler.ts'
import { errorBin } from './errorBins.ts'

/** What has an error of its own, in the order in which all arrays here hold it. */
export const errorKinds = [...angleNames, 'geodesic'] as const
export type ErrorKind = (typeof errorKinds)[number]

/**
 * Errors are added up as whole ten thousandths of a degree: integers add up exactly, whatever the order, and a float32
 * of some degrees is not good for more.
 */
export const unitsPerDegree = 10_000

/** Marks a kind of which the row has no error. */
export const noBin = 255

/**
 * The errors of one row, by kind: signed, in ten thousandths of a degree, and their bins. One object for all rows, since
 * one for each of a million would be most of the time.
 */
export class MeasuredRow {
  readonly units = new Float64Array(errorKinds.length)
  readonly bins = new Uint8Array(errorKinds.length).fill(noBin)

  /** By the rules of the summary: a row whose label lies beyond ±99° has no error, nor one with half a label. */
  measure(row: TableRow): void {
    const angles = anglesWithErrors(row)
    const counts = angles.length > 0 && !beyondLabelLimit(row) && angles.every((angle) => errorOf(row, angle) !== null)
    for (let kind = 0; kind < angleNames.length; kind++) this.#set(kind, counts ? errorOf(row, angleNames[kind]) : null)
    this.#set(angleNames.length, counts ? rowGeodesicError(row) : null)
  }

  #set(kind: number, error: Degrees | null): void {
    this.bins[kind] = error === null ? noBin : errorBin(error)
    if (error !== null) this.units[kind] = Math.round(error * unitsPerDegree)
  }
}

/** Null also of an angle that the network does not give. */
function errorOf(row: TableRow, angle: AngleName | undefined): Degrees | null {
  if (angle === 'yaw') return row.errorYaw
  return angle === 'pitch' ? row.errorPitch : row.errorRoll
}
