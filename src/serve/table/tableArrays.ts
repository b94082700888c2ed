import { measureNames, type Measure } from '../measures.ts'

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

/** One measure of all rows, NaN where a row has none: a column as it is, or an array of its own. */
export function measureValues(table: TableArrays, measure: Measure): Float32Array | undefined {
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
      return numbers[measure]
  }
}

/** The measures of which some row has a value. */
export function measuresOf(table: TableArrays): Measure[] {
  return measureNames.filter((measure) => {
    const values = measureValues(table, measure)
    if (values === undefined) return false
    for (let row = 0; row < table.rows; row++) if (values[row] === values[row]) return true
    return false
  })
}

/** By label where the row has yaw and pitch of one, else by the estimate, as `rowPose` places it. */
function posed(
  { rows, numbers: { yaw, pitch, labelYaw, labelPitch } }: TableArrays,
  estimate: Float32Array | undefined,
  label: Float32Array | undefined,
): Float32Array | undefined {
  const values = new Float32Array(rows).fill(NaN)
  for (let row = 0; row < rows; row++) {
    if (isNumber(labelYaw, row) && isNumber(labelPitch, row)) values[row] = label?.[row] ?? NaN
    else if (isNumber(yaw, row) && isNumber(pitch, row)) values[row] = estimate?.[row] ?? NaN
  }
  return values
}

function isNumber(column: Float32Array | undefined, row: number): boolean {
  const value = column?.[row]
  return value !== undefined && value === value
}

/** Errors without those of rows that are left out of all errors. */
function counted({ rows, leftOut }: TableArrays, errors: Float32Array | undefined): Float32Array | undefined {
  if (errors === undefined) return undefined
  const values = errors.slice()
  for (let row = 0; row < rows; row++) if (leftOut[row] === 1) values[row] = NaN
  return values
}

function absolute(values: Float32Array | undefined): Float32Array | undefined {
  // In place: it is an array of its own that nobody else has.
  if (values !== undefined) for (let row = 0; row < values.length; row++) values[row] = Math.abs(values[row] ?? NaN)
  return values
}
