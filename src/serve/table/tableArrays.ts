import type { Measure } from '../measures.ts'

/** Columns of the table that are kept as numbers; NaN where the row has none. */
export const numberColumns = [
  'yaw',
  'pitch',
  'roll',
  'labelYaw',
  'labelPitch',
  'labelRoll',
  'errorYaw',
  'errorPitch',
  'errorRoll',
  'errorGeodesic',
  'meanError',
  'yawTopProbability',
  'pitchTopProbability',
  'rollTopProbability',
  'class',
  'topClass',
  'topClassProbability',
  'cropX0',
  'cropY0',
  'cropX1',
  'cropY1',
] as const
export type NumberColumn = (typeof numberColumns)[number]

/** Texts that many rows share, each once. */
export interface NamesColumn {
  readonly names: readonly string[]
  /** By row: 0 for none, else the place in `names` plus 1. */
  readonly codes: Uint32Array
}

export const namesColumns = ['subject', 'sequence', 'code'] as const
export type NamesColumnName = (typeof namesColumns)[number]

/**
 * A table in memory, about 130 bytes a row: what rows are chosen, sorted and shown by. Rows are sorted by the bytes of their
 * keys. The table's numbers are float32 in value, so nothing is lost; only columns with a number in them are there.
 */
export interface TableArrays {
  readonly rows: number
  /** All keys as UTF-8, one after the other, and where each ends. */
  readonly keys: Uint8Array
  readonly keyEnds: Uint32Array
  readonly numbers: Readonly<Partial<Record<NumberColumn, Float32Array>>>
  readonly names: Readonly<Record<NamesColumnName, NamesColumn>>
  /** 1: the row failed. */
  readonly failed: Uint8Array
  /** 1: a label lies beyond ±99°. */
  readonly leftOut: Uint8Array
  /** Cell of the grid over yaw and pitch; −1 for none. */
  readonly cells: Int16Array
}

/** A measure of one row, NaN where the row has none. */
export type MeasureReader = (row: number) => number

/**
 * Reads a measure row by row: an array for each of twenty measures of a million rows would be 80 MB of garbage with every
 * question. Undefined where the table has no column for it.
 */
export function measureReader(table: TableArrays, measure: Measure): MeasureReader | undefined {
  const { numbers } = table
  switch (measure) {
    case 'poseYaw':
      return posed(table, numbers.yaw, numbers.labelYaw)
    case 'absPoseYaw':
      return absolute(posed(table, numbers.yaw, numbers.labelYaw))
    case 'posePitch':
      return posed(table, numbers.pitch, numbers.labelPitch)
    case 'poseRoll':
      return posed(table, numbers.roll, numbers.labelRoll)
    case 'absErrorYaw':
      return absolute(counted(table, numbers.errorYaw))
    case 'absErrorPitch':
      return absolute(counted(table, numbers.errorPitch))
    case 'absErrorRoll':
      return absolute(counted(table, numbers.errorRoll))
    case 'errorYaw':
    case 'errorPitch':
    case 'errorRoll':
    case 'errorGeodesic':
      return counted(table, numbers[measure])
    case 'meanError':
    case 'yaw':
    case 'pitch':
    case 'roll':
    case 'labelYaw':
    case 'labelPitch':
    case 'labelRoll':
    case 'yawTopProbability':
    case 'pitchTopProbability':
    case 'rollTopProbability':
    case 'class':
    case 'topClass':
    case 'topClassProbability':
      return stored(numbers[measure])
  }
}

function stored(values: Float32Array | undefined): MeasureReader | undefined {
  return values && ((row) => values[row] ?? NaN)
}

/** By label where the row has yaw and pitch of one, else by the estimate, as `rowPose` places it. */
function posed(
  { numbers: { yaw, pitch, labelYaw, labelPitch } }: TableArrays,
  estimate: Float32Array | undefined,
  label: Float32Array | undefined,
): MeasureReader {
  return (row) => {
    if (isNumber(labelYaw, row) && isNumber(labelPitch, row)) return label?.[row] ?? NaN
    return isNumber(yaw, row) && isNumber(pitch, row) ? (estimate?.[row] ?? NaN) : NaN
  }
}

function isNumber(column: Float32Array | undefined, row: number): boolean {
  const value = column?.[row]
  return value !== undefined && value === value
}

/** Errors without those of rows that are left out of all errors. */
function counted({ leftOut }: TableArrays, errors: Float32Array | undefined): MeasureReader | undefined {
  return errors && ((row) => (leftOut[row] === 1 ? NaN : (errors[row] ?? NaN)))
}

function absolute(read: MeasureReader | undefined): MeasureReader | undefined {
  return read && ((row) => Math.abs(read(row)))
}
