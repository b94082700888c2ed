import type { Measure } from '../measures.ts'
import type { Selection } from '../selection.ts'
import type { Facets, RowFacts } from '../wire.ts'

/** Rows of a selection, from `from` on. */
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
  readonly key: string
  readonly fingerprint: string
  readonly status: 'ok' | 'failed'
  /** Rectangle of the image that the network saw, image pixels: x0, y0, x1, y1. */
  readonly crop: readonly [number, number, number, number] | null
}

/**
 * One table in memory, in a thread of its own. All promises reject with the error of the table when it cannot be read.
 * Closing it rejects what is still asked.
 */
export interface TableQueries {
  /** Rows of the table. */
  readonly total: number
  /** Those of which some row has a value, in the order of `measureNames`. */
  readonly measures: readonly Measure[]
  page(selection: Selection, from: number, count: number): Promise<RowsPage>
  facets(selection: Selection): Promise<Facets>
  /** Null when the table has no row of this key. */
  row(key: string): Promise<RowFacts | null>
  drawn(keys: readonly string[]): Promise<readonly (DrawnRow | null)[]>
  /** Null when the selection does not hold the row. */
  positionOf(selection: Selection, key: string): Promise<RowPosition | null>
  /** The rows that are nearest in pose (geodesic; of yaw and pitch where there is no roll), nearest first, without itself. */
  neighbours(key: string, count: number): Promise<readonly RowFacts[]>
  /** Keys of the selection in its order, a chunk at a time, for a CSV. */
  chunk(selection: Selection, from: number, count: number): Promise<readonly RowFacts[]>
  close(): Promise<void>
}
