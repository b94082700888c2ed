import type { Measure } from '../measures.ts'
import type { Selection } from '../selection.ts'
import type { Facets, NameCounts } from '../wire.ts'
import { missesOf, type Misses } from './matches.ts'
import { numberAt } from './rowFacts.ts'
import { measureValues, type NamesColumnName, type TableArrays } from './tableArrays.ts'

/** Bins of a distribution. */
const bins = 24
/** Names that are told, the most frequent ones. */
const toldNames = 200

/** What a selection can be narrowed by, and what it amounts to. `known`: the measures that the table has. */
export function facetsOf(table: TableArrays, selection: Selection, known: readonly Measure[]): Facets {
  const misses = missesOf(table, selection)
  let count = 0
  let failed = 0
  for (let row = 0; row < misses.length; row++) {
    if (misses[row] !== 0) continue
    count++
    failed += table.failed[row] ?? 0
  }
  const names = (column: NamesColumnName, chosen: readonly string[]) =>
    nameCounts(table, column, chosen.length === 0 ? misses : missesOf(table, selection, column), chosen)
  return {
    total: table.rows,
    count,
    failed,
    meanError: meanOf(table.numbers.meanError, misses),
    measures: known.flatMap((measure) => {
      const values = measureValues(table, measure)
      return values === undefined ? [] : [{ measure, ...distribution(values, misses) }]
    }),
    subjects: names('subject', selection.subjects),
    sequences: names('sequence', selection.sequences),
    codes: names('code', selection.codes),
  }
}

function meanOf(values: Float32Array | undefined, misses: Misses): number | null {
  if (values === undefined) return null
  let [sum, count] = [0, 0]
  for (let row = 0; row < misses.length; row++) {
    const value = values[row] ?? NaN
    if (misses[row] !== 0 || value !== value) continue
    sum += value
    count++
  }
  return count === 0 ? null : sum / count
}

function distribution(values: Float32Array, misses: Misses): { least: number; greatest: number; bins: number[] } {
  let [low, high] = [0, 0]
  let isFirst = true
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? NaN
    if (value !== value) continue
    if (isFirst || value < (values[low] ?? 0)) low = row
    if (isFirst || value > (values[high] ?? 0)) high = row
    isFirst = false
  }
  const [least, greatest] = [numberAt(values, low) ?? 0, numberAt(values, high) ?? 0]
  const counts = new Array<number>(bins).fill(0)
  const scale = greatest > least ? bins / (greatest - least) : 0
  for (let row = 0; row < misses.length; row++) {
    const value = values[row] ?? NaN
    if (misses[row] !== 0 || value !== value) continue
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((value - least) * scale)))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return { least, greatest, bins: counts }
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
  const present = named.filter(([name, count]) => count > 0 || chosen.includes(name))
  // Sorting is stable: equal ones stay in the order in which the table names them, which is that of the keys.
  present.sort(([a, m], [b, n]) => Number(chosen.includes(b)) - Number(chosen.includes(a)) || n - m)
  const told = present.slice(0, toldNames)
  const withNone = none !== undefined && named.length > 0 && (none[1] > 0 || chosen.includes('')) ? [none] : []
  return { named: [...told, ...(column === 'code' ? [] : withNone)], more: present.length - told.length }
}
