import type { Span } from '../bins.ts'
import { measureNames, type Measure } from '../measures.ts'
import { asWritten } from './rowFacts.ts'
import { measureReader, type TableArrays } from './tableArrays.ts'

/** Least and greatest value over the whole table of each measure that some row has. */
export function spansOf(table: TableArrays): ReadonlyMap<Measure, Span> {
  const spans = new Map<Measure, Span>()
  for (const measure of measureNames) {
    const valueOf = measureReader(table, measure)
    if (valueOf === undefined) continue
    let [least, greatest] = [Infinity, -Infinity]
    for (let row = 0; row < table.rows; row++) {
      const value = valueOf(row)
      // NaN is neither.
      if (value < least) least = value
      if (value > greatest) greatest = value
    }
    if (least <= greatest) spans.set(measure, { least: asWritten(least), greatest: asWritten(greatest) })
  }
  return spans
}
