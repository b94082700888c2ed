import type { Waiting } from '../wire.ts'
import type { TableQueries } from './tableQueries.ts'

/** Tables in memory, the last few that were asked for. */
export interface TableShelf {
  /**
   * The table of a run; how far it has got, while it is read for the first time. Rejects with the error for which it
   * cannot be read, and tries again when it is asked again.
   */
  of(set: string, run: string): Promise<TableQueries | Waiting>
  close(): Promise<void>
}
