import { binCount, binStart, type Span } from '../bins.ts'
import type { Measure } from '../measures.ts'
import type { Selection } from '../selection.ts'
import type { Facets, NameCounts } from '../wire.ts'
import { missesOf, type Misses } from './matches.ts'
import { measureReader, type NamesColumnName, type TableArrays } from './tableArrays.ts'

/** Names that are told, the most frequent ones. */
const toldNames = 200

/** What a selection can be narrowed by, and what it amounts to. `spans`: of the measures that the table has. */
export function facetsOf(table: TableArrays, selection: Selection, spans: ReadonlyMap<Measure, Span>): Facets {
  const misses = missesOf(table, selection)
  const rows = hitsOf(misses)
  let failed = 0
  for (const row of rows) failed += table.failed[row] ?? 0
  const names = (column: NamesColumnName, chosen: readonly string[]) =>
    nameCounts(table, column, chosen.length === 0 ? misses : missesOf(table, selection, column), chosen)
  return {
    total: table.rows,
    count: rows.length,
    failed,
    meanError: meanOf(table.numbers.meanError, rows),
    measures: Array.from(spans, ([measure, span]) => ({ measure, ...span, bins: binsOf(table, measure, span, rows) })),
    subjects: names('subject', selection.subjects),
    sequences: names('sequence', selection.sequences),
    codes: names('code', selection.codes),
  }
}

/** The rows of a selection: twenty measures are counted over them, and most selections are small. */
function hitsOf(misses: Misses): Uint32Array {
  let count = 0
  for (let row = 0; row < misses.length; row++) if (misses[row] === 0) count++
  const rows = new Uint32Array(count)
  let at = 0
  for (let row = 0; row < misses.length; row++) if (misses[row] === 0) rows[at++] = row
  return rows
}

function meanOf(values: Float32Array | undefined, rows: Uint32Array): number | null {
  if (values === undefined) return null
  let [sum, count] = [0, 0]
  for (const row of rows) {
    const value = values[row] ?? NaN
    if (value !== value) continue
    sum += value
    count++
  }
  return count === 0 ? null : sum / count
}

function binsOf(table: TableArrays, measure: Measure, span: Span, rows: Uint32Array): number[] {
  const { least, greatest } = span
  const bins = binCount(span)
  const counts = new Array<number>(bins).fill(0)
  const starts = Array.from({ length: bins }, (_, at) => binStart(span, bins, at))
  const valueOf = measureReader(table, measure)
  const scale = greatest > least ? bins / (greatest - least) : 0
  for (let i = 0; valueOf !== undefined && i < rows.length; i++) {
    const value = valueOf(rows[i] ?? 0)
    if (value !== value) continue
    let bin = Math.min(bins - 1, Math.max(0, Math.floor((value - least) * scale)))
    // On a border the quotient may fall on either side.
    if (bin > 0 && value < (starts[bin] ?? 0)) bin--
    else if (bin < bins - 1 && value >= (starts[bin + 1] ?? 0)) bin++
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts
}

/** Those that the selection chose are always told, so that a choice can be taken back. */
function nameCounts(
  table: TableArrays,
  column: NamesColumnName,
  misses: Misses,
  chosen: readonly string[],
): NameCounts {
  const { names, codes } = table.names[column]
  const counts = new Uint32Array(names.length + 1)
  for (let row = 0; row < misses.length; row++) {
    if (misses[row] !== 0) continue
    const code = codes[row] ?? 0
    counts[code] = (counts[code] ?? 0) + 1
  }
  const all = Array.from(counts, (count, code): [string, number] => [code === 0 ? '' : (names[code - 1] ?? ''), count])
  const [none, ...named] = all
  const isChosen = new Set(chosen)
  const present = named.filter(([name, count]) => count > 0 || isChosen.has(name))
  // Sorting is stable: equal ones stay in the order in which the table names them, which is that of the keys.
  present.sort(([a, m], [b, n]) => Number(isChosen.has(b)) - Number(isChosen.has(a)) || n - m)
  const told = present.slice(0, toldNames)
  const withNone = none !== undefined && named.length > 0 && (none[1] > 0 || isChosen.has('')) ? [none] : []
  return { named: [...told, ...(column === 'code' ? [] : withNone)], more: present.length - told.length }
}
