import type { RowFacts, Triple } from '../wire.ts'
import { keyAt } from './keys.ts'
import type { NamesColumnName, NumberColumn, TableArrays } from './tableArrays.ts'

/** One row, as the browser is told of it. */
export function rowFacts(table: TableArrays, row: number): RowFacts {
  const number = (column: NumberColumn) => numberAt(table.numbers[column], row)
  const triple = (yaw: NumberColumn, pitch: NumberColumn, roll: NumberColumn): Triple => [
    number(yaw),
    number(pitch),
    number(roll),
  ]
  return {
    key: keyAt(table, row),
    status: table.failed[row] === 1 ? 'failed' : 'ok',
    code: nameAt(table, 'code', row),
    subject: nameAt(table, 'subject', row),
    sequence: nameAt(table, 'sequence', row),
    estimate: triple('yaw', 'pitch', 'roll'),
    label: triple('labelYaw', 'labelPitch', 'labelRoll'),
    error: triple('errorYaw', 'errorPitch', 'errorRoll'),
    meanError: number('meanError'),
    errorGeodesic: number('errorGeodesic'),
    isLeftOutOfErrors: table.leftOut[row] === 1,
    confidence: triple('yawTopProbability', 'pitchTopProbability', 'rollTopProbability'),
    class: number('class'),
    topClass: number('topClass'),
    topClassProbability: number('topClassProbability'),
  }
}

function numberAt(values: Float32Array | undefined, row: number): number | null {
  const value = values?.[row]
  return value === undefined || Number.isNaN(value) ? null : asWritten(value)
}

/** The double with seven digits that is this float32, so that 12.3 does not become 12.300000190734863. */
export function asWritten(value: number): number {
  return Number(value.toPrecision(7))
}

function nameAt({ names }: TableArrays, column: NamesColumnName, row: number): string | null {
  const code = names[column].codes[row] ?? 0
  return code === 0 ? null : (names[column].names[code - 1] ?? null)
}
