import type { z } from 'zod'
import type { Logger } from '../../base/telemetry.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { Store } from '../../storage/store.ts'
import type { AtlasShelf } from '../atlasShelf.ts'
import type { ComparisonShelf } from '../comparisons/comparisonShelf.ts'
import type { LiveDesk } from '../live/liveDesk.ts'
import type { PictureDesk } from '../pictures/pictureDesk.ts'
import type { StoredRows } from '../pictures/storedRows.ts'
import type { TableShelf } from '../table/tableShelf.ts'
import type { Waiting } from '../wire.ts'

/** What all routes are given: one output, read only. */
export interface Served {
  readonly output: Store
  /** The one result set that is shown; null: all of the output. */
  readonly onlySet: string | null
  readonly headlightVersion: string
  readonly tables: TableShelf
  readonly comparisons: ComparisonShelf
  readonly live: LiveDesk
  readonly storedRows: StoredRows
  readonly pictures: PictureDesk
  readonly atlases: AtlasShelf
  /** The dataset of a result set; opened once, and closed with the server. */
  datasetOf(set: ResultSet): Store
  /** What a result set is; InputError `no-such-run` when it is gone. */
  setOf(id: string): Promise<ResultSet>
  /** The run whose table is shown: the one asked for, else that of the state now. InputError `no-such-run` without one. */
  runOf(set: string, asked: string | undefined): Promise<{ readonly run: string; readonly stateRun: string }>
  readonly log: Logger
}

export interface Asked<Query> {
  /** From the path; empty where it names none. A result set that is shown: others are refused before. */
  readonly set: string
  readonly query: Query
  /** All of the query as it came, for what `readSelection` reads. */
  readonly parameters: URLSearchParams
  /** Aborted when whoever asked is gone, or the server has ended the connection. */
  readonly signal: AbortSignal
}

export type Answer =
  | { readonly kind: 'json'; readonly json: unknown }
  /** Status 202. */
  | { readonly kind: 'waiting'; readonly waiting: Waiting['waiting'] }
  | {
      readonly kind: 'bytes'
      readonly bytes: Uint8Array
      readonly contentType: string
      /** How long a browser need not ask again. 0: it asks each time, and is sent the bytes only if they are others. */
      readonly keepSeconds: number
    }
  /** A file to keep, sent as it is made. */
  | {
      readonly kind: 'file'
      readonly chunks: AsyncIterable<string>
      readonly contentType: string
      readonly fileName: string
    }

/**
 * One address of the API. `query` says which parameters it takes besides a selection's. `answer` raises InputError with a
 * code for what was asked wrongly or is not there; the server makes a status of it.
 */
export interface Route<Query = unknown> {
  /** Below the base path, as in `/api/sets/:set/rows`. */
  readonly path: string
  readonly query: z.ZodType<Query>
  /** Whether the parameters of a selection may come along. */
  readonly takesSelection?: boolean
  answer(asked: Asked<Query>, served: Served): Promise<Answer>
}
