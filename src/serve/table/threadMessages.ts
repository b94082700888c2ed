import type { ErrorMessage } from '../../base/errorMessage.ts'
import type { Measure } from '../measures.ts'
import type { TableQueries } from './tableQueries.ts'

/** What a table's thread is started with. */
export interface TableThreadData {
  /** URI of the output, and its endpoint where it has one of its own. */
  readonly output: string
  readonly endpoint: string | undefined
  /** Key of the table in it. */
  readonly key: string
  /** What may have removed it, as the end of a sentence. */
  readonly whereRemoved: string
  /** Where the arrays are kept for the next start. */
  readonly cacheFolder: string
}

/** The questions that a thread answers. */
export type Question = {
  [Name in QuestionName]: { readonly name: Name; readonly given: Parameters<TableQueries[Name]> }
}[QuestionName]
export type QuestionName = Exclude<keyof TableQueries, 'total' | 'measures'>

export type ToThread = { readonly id: number } & Question

export type FromThread =
  | { readonly type: 'progress'; readonly rows: number; readonly total: number }
  | { readonly type: 'open'; readonly total: number; readonly measures: readonly Measure[] }
  /** The table cannot be read; the thread ends. */
  | { readonly type: 'failed'; readonly error: ErrorMessage }
  /** The arrays could not be kept; all else goes on. */
  | { readonly type: 'not-kept'; readonly message: string }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'refused'; readonly id: number; readonly error: ErrorMessage }
