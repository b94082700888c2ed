import type { Box } from '../../dataset/adapter.ts'
import type { Measure } from '../measures.ts'
import type { Selection } from '../selection.ts'
import type { Facets, RowFacts } from '../wire.ts'

/** Rows of a selection, from some position on. */
export interface RowsPage {
  /** Rows of the whole selection. */
  readonly count: number
  readonly rows: readonly RowFacts[]
}

/** Where a row stands in a selection. */
export interface RowPosition {
  /** From 0. */
  readonly position: number
  readonly count: number
  /** Keys of the rows beside it; null at either end. */
  readonly previous: string | null
  readonly next: string | null
}

/** What is needed to draw a row's pictures. */
export interface DrawnRow {
  /** Its place in the table, from 0. */
  readonly row: number
  readonly status: 'ok' | 'failed'
  /** Rectangle of the image that the network saw, image pixels. */
  readonly crop: Box | null
}

/** One table in memory, in a thread of its own. Promises reject when it is closed meanwhile. */
export interface TableQueries {
  readonly total: number
  /** Those of which some row has a value, in the order of `measureNames`. */
  readonly measures: readonly Measure[]
  page(selection: Selection, from: number, count: number): Promise<RowsPage>
  facets(selection: Selection): Promise<Facets>
  /** Null when the table has no row of this key. */
  row(key: string): Promise<RowFacts | null>
  drawn(key: string): Promise<DrawnRow | null>
  /** Null when the selection does not hold the row. */
  positionOf(selection: Selection, key: string): Promise<RowPosition | null>
  /** The rows that are nearest in pose, nearest first, without itself. */
  neighbours(key: string, count: number): Promise<readonly RowFacts[]>
}
