import type { ErrorMessage } from '../../base/errorMessage.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { CompareReply } from '../wire.ts'

/** What a comparison's thread is started with. */
export interface ComparisonThreadData {
  /** URI of the output, and its endpoint where it has one of its own. */
  readonly output: string
  readonly endpoint: string | undefined
  readonly a: ComparedTableData
  readonly b: ComparedTableData
  readonly notes: readonly string[]
}

/** A table without its store, which does not go between threads. */
export interface ComparedTableData {
  readonly set: ResultSet
  readonly run: string
  readonly stateRun: string | null
}

export type FromComparisonThread =
  /** `total` is 0 while it is not known. */
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'compared'; readonly reply: CompareReply }
  | { readonly type: 'failed'; readonly error: ErrorMessage }
