import { useEffect, useRef, useState } from 'preact/hooks'
import { addresses } from '../../addresses.ts'
import type { Selection } from '../../selection.ts'
import type { Refusal, RowFacts, RowsReply, Waiting } from '../../wire.ts'
import { ask, problemOf } from '../useReply.ts'

/** Rows that are asked for at a time. */
export const pageRows = 60

export interface Rows {
  /** Null until the first answer. */
  readonly count: number | null
  readonly run: string | null
  readonly stateRun: string | null
  /** Undefined while it is on its way. */
  readonly at: (position: number) => RowFacts | undefined
  readonly waiting: Waiting['waiting'] | null
  readonly refusal: Refusal['error'] | null
  /** The rows are still those of the selection before. */
  readonly isStale: boolean
}

interface Loaded {
  readonly question: string
  readonly count: number
  readonly run: string
  readonly stateRun: string
  readonly pages: ReadonlyMap<number, readonly RowFacts[]>
}

/** The rows of a selection between two positions; pages that are no longer in sight are not waited for. */
export function useRows(
  set: string,
  run: string | null,
  selection: Selection,
  [first, last]: readonly [first: number, last: number],
): Rows {
  const question = addresses.rowsReply(set, run, selection, 0, pageRows)
  const [loaded, setLoaded] = useState<Loaded | null>(null)
  const [waiting, setWaiting] = useState<Waiting['waiting'] | null>(null)
  const [refusal, setRefusal] = useState<Refusal['error'] | null>(null)
  const requests = useRef(new Map<string, AbortController>())
  const isCurrent = loaded?.question === question
  const firstPage = Math.floor(first / pageRows)
  const lastPage = Math.floor(last / pageRows)

  useEffect(() => {
    const wanted = new Set<string>()
    for (let page = firstPage; page <= lastPage; page++) {
      if (isCurrent && loaded.pages.has(page)) continue
      // The last pages of a shorter selection do not exist.
      if (isCurrent && page > 0 && page * pageRows >= loaded.count) continue
      const address = addresses.rowsReply(set, run, selection, page * pageRows, pageRows)
      wanted.add(address)
      if (requests.current.has(address)) continue
      const abort = new AbortController()
      requests.current.set(address, abort)
      ask<RowsReply>(address, abort.signal, setWaiting)
        .then((reply) => {
          setWaiting(null)
          setRefusal(null)
          setLoaded((before) => withPage(before?.question === question ? before : null, question, page, reply))
        })
        .catch((error: unknown) => {
          if (abort.signal.aborted) return
          setWaiting(null)
          setRefusal(problemOf(error))
        })
        .finally(() => requests.current.delete(address))
    }
    for (const [address, abort] of requests.current) if (!wanted.has(address)) abort.abort()
  }, [question, firstPage, lastPage, loaded])
  useEffect(() => () => requests.current.forEach((abort) => abort.abort()), [])

  return {
    count: loaded?.count ?? null,
    run: loaded?.run ?? null,
    stateRun: loaded?.stateRun ?? null,
    at: (position) => loaded?.pages.get(Math.floor(position / pageRows))?.[position % pageRows],
    waiting,
    refusal,
    isStale: loaded !== null && !isCurrent,
  }
}

/** Pages that are kept: some screens in either direction. */
const keptPages = 40

function withPage(before: Loaded | null, question: string, page: number, reply: RowsReply): Loaded {
  const pages = new Map(before?.pages)
  pages.set(page, reply.rows)
  const [oldest] = pages.keys()
  if (pages.size > keptPages && oldest !== undefined) pages.delete(oldest)
  const { count, run, stateRun } = reply
  return { question, count, run, stateRun, pages }
}
