import type { Span } from '../bins.ts'
import { Kept } from '../kept.ts'
import type { Measure } from '../measures.ts'
import { writeSelection, type Selection } from '../selection.ts'
import type { Facets, RowFacts } from '../wire.ts'
import { facetsOf } from './facets.ts'
import { keyAt, rowOfKey } from './keys.ts'
import { missesOf } from './matches.ts'
import { nearestInPose } from './neighbours.ts'
import { rowFacts } from './rowFacts.ts'
import { sortOrder } from './sortOrder.ts'
import { spansOf } from './spans.ts'
import { measureReader, type TableArrays } from './tableArrays.ts'
import type { DrawnRow, RowPosition, RowsPage } from './tableQueries.ts'

/** Orders by one measure that are kept: 4 bytes a row each. */
const keptOrders = 3
/** Selections whose rows are kept, so that a page of one costs nothing. */
const keptSelections = 4

/** Answers about a table that is in memory; each takes at most some tenths of a second for a million rows. */
export class Table {
  readonly #arrays: TableArrays
  readonly #spans: ReadonlyMap<Measure, Span>
  readonly #orders = new Kept<Uint32Array>(keptOrders)
  readonly #selections = new Kept<Uint32Array>(keptSelections)

  constructor(arrays: TableArrays) {
    this.#arrays = arrays
    this.#spans = spansOf(arrays)
  }

  /** Those of which some row has a value. */
  get measures(): Measure[] {
    return [...this.#spans.keys()]
  }

  get total(): number {
    return this.#arrays.rows
  }

  page(selection: Selection, from: number, count: number): RowsPage {
    const rows = this.#rowsOf(selection)
    return { count: rows.length, rows: this.#facts(rows.subarray(from, from + count)) }
  }

  facets(selection: Selection): Facets {
    return facetsOf(this.#arrays, selection, this.#spans)
  }

  row(key: string): RowFacts | null {
    const row = rowOfKey(this.#arrays, key)
    return row === -1 ? null : rowFacts(this.#arrays, row)
  }

  drawn(key: string): DrawnRow | null {
    const row = rowOfKey(this.#arrays, key)
    if (row === -1) return null
    const { numbers, failed } = this.#arrays
    const corners = [numbers.cropX0, numbers.cropY0, numbers.cropX1, numbers.cropY1].map(
      (column) => column?.[row] ?? NaN,
    )
    const [x0 = NaN, y0 = NaN, x1 = NaN, y1 = NaN] = corners
    return {
      row,
      status: failed[row] === 1 ? 'failed' : 'ok',
      crop: corners.some(Number.isNaN) ? null : { x0, y0, x1, y1 },
    }
  }

  positionOf(selection: Selection, key: string): RowPosition | null {
    const row = rowOfKey(this.#arrays, key)
    const rows = this.#rowsOf(selection)
    const position = row === -1 ? -1 : rows.indexOf(row)
    if (position === -1) return null
    const keyOf = (at: number) => {
      const other = rows[at]
      return other === undefined ? null : keyAt(this.#arrays, other)
    }
    return { position, count: rows.length, previous: keyOf(position - 1), next: keyOf(position + 1) }
  }

  neighbours(key: string, count: number): RowFacts[] {
    const row = rowOfKey(this.#arrays, key)
    return row === -1 ? [] : this.#facts(nearestInPose(this.#arrays, row, count))
  }

  #facts(rows: Iterable<number>): RowFacts[] {
    return Array.from(rows, (row) => rowFacts(this.#arrays, row))
  }

  #rowsOf(selection: Selection): Uint32Array {
    return this.#selections.of(JSON.stringify(writeSelection(selection)), () => {
      const misses = missesOf(this.#arrays, selection)
      const order = this.#orderOf(selection)
      if (order !== undefined && !misses.includes(1)) return order
      const rows = new Uint32Array(this.total)
      let count = 0
      for (let i = 0; i < misses.length; i++) {
        const row = order === undefined ? i : (order[i] ?? 0)
        if (misses[row] === 0) rows[count++] = row
      }
      if (selection.sort === 'key' && selection.isDescending) rows.subarray(0, count).reverse()
      // A copy of its own length: a view would keep four bytes for every row of the table.
      return rows.slice(0, count)
    })
  }

  /** Undefined: the order of the table itself. */
  #orderOf({ sort, isDescending }: Selection): Uint32Array | undefined {
    if (sort === 'key') return undefined
    return this.#orders.of(`${isDescending ? '-' : ''}${sort}`, () => {
      return sortOrder(this.total, measureReader(this.#arrays, sort) ?? (() => NaN), isDescending)
    })
  }
}
