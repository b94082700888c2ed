import type { RowFacts, RowsReply } from '../../wire.ts'

/** Rows that are asked for at a time. */
export const pageRows = 60
/** Pages that are kept: some screens in either direction. */
export const keptPages = 40

/** The pages of a selection that have come so far, all of one run. */
export interface LoadedRows {
  /** What the selection was asked by. */
  readonly question: string
  readonly count: number
  readonly run: string
  readonly pages: ReadonlyMap<number, readonly RowFacts[]>
}

/**
 * With a page more, and without the one that came first when there are too many. The answer to another question, or of a run
 * that was asked for, replaces all. One of a run that was published between two pages, before any was asked for, is
 * dropped: it has to be asked for again.
 *
 * @param run the one that was asked for; null: the state
 */
export function withPage(
  before: LoadedRows | null,
  question: string,
  run: string | null,
  page: number,
  reply: RowsReply,
): LoadedRows {
  const isSame = before?.question === question
  if (isSame && run === null && before.run !== reply.run) return before
  const pages = new Map(isSame && before.run === reply.run ? before.pages : [])
  pages.set(page, reply.rows)
  const [oldest] = pages.keys()
  if (pages.size > keptPages && oldest !== undefined) pages.delete(oldest)
  return { question, count: reply.count, run: reply.run, pages }
}

/** Undefined while it is on its way. */
export function rowAt(loaded: LoadedRows | null, position: number): RowFacts | undefined {
  return loaded?.pages.get(Math.floor(position / pageRows))?.[position % pageRows]
}

/** Pages between two positions that have not come yet, and that there are. `loaded`: what has come of this selection. */
export function missingPages(loaded: LoadedRows | null, first: number, last: number): number[] {
  const missing: number[] = []
  for (let page = Math.floor(first / pageRows); page <= Math.floor(last / pageRows); page++) {
    if (loaded?.pages.has(page) === true) continue
    if (loaded !== null && page > 0 && page * pageRows >= loaded.count) continue
    missing.push(page)
  }
  return missing
}
