import { useEffect, useRef, useState } from 'preact/hooks'
import { addresses } from '../../addresses.ts'
import type { Selection } from '../../selection.ts'
import type { Refusal, RowFacts, RowsReply, Waiting } from '../../wire.ts'
import { ask, problemOf } from '../ask.ts'
import { missingPages, pageRows, rowAt, withPage, type LoadedRows } from './loadedRows.ts'

export interface Rows {
  /** Null until the first answer. */
  readonly count: number | null
  readonly run: string | null
  /** What the rows that there are were asked by. */
  readonly question: string
  /** Undefined while it is on its way. */
  readonly at: (position: number) => RowFacts | undefined
  readonly waiting: Waiting['waiting'] | null
  readonly refusal: Refusal['error'] | null
  /** The rows are still those of the selection before. */
  readonly isStale: boolean
}

/** Why rows that are asked for are not there yet. */
interface Hindrance {
  readonly question: string
  readonly waiting: Waiting['waiting'] | null
  readonly refusal: Refusal['error'] | null
}

/**
 * The rows of a selection between two positions; pages that are no longer in sight are not waited for.
 *
 * @param asked the run that the address names; null: the state
 * @param run the run that is meant, once an answer told which one the state is
 */
export function useRows(
  set: string,
  asked: string | null,
  run: string | null,
  selection: Selection,
  [first, last]: readonly [first: number, last: number],
): Rows {
  const question = addresses.rowsReply(set, asked, selection, 0, pageRows)
  const [loaded, setLoaded] = useState<LoadedRows | null>(null)
  const [hindrance, setHindrance] = useState<Hindrance | null>(null)
  const requests = useRef(new Map<string, AbortController>())
  const current = loaded?.question === question && (run === null || loaded.run === run) ? loaded : null
  const missing = missingPages(current, first, last).join()

  useEffect(() => {
    const wanted = new Set<string>()
    for (const page of missingPages(current, first, last)) {
      const address = addresses.rowsReply(set, run, selection, page * pageRows, pageRows)
      wanted.add(address)
      if (requests.current.has(address)) continue
      const abort = new AbortController()
      requests.current.set(address, abort)
      ask<RowsReply>(address, abort.signal, (waiting) => setHindrance({ question, waiting, refusal: null }))
        .then((reply) => {
          // It came in the moment in which it was given up.
          if (abort.signal.aborted) return
          setHindrance(null)
          setLoaded((before) => withPage(before, question, run, page, reply))
        })
        .catch((error: unknown) => {
          if (abort.signal.aborted) return
          setHindrance({ question, waiting: null, refusal: problemOf(error) })
        })
        .finally(() => {
          if (requests.current.get(address) === abort) requests.current.delete(address)
        })
    }
    for (const [address, abort] of requests.current) {
      if (wanted.has(address)) continue
      abort.abort()
      requests.current.delete(address)
    }
    // Those in sight are all there, and of others, which the reader has scrolled past, nobody wants to hear.
    if (wanted.size === 0) setHindrance(null)
  }, [question, run, missing, loaded])
  useEffect(() => () => requests.current.forEach((abort) => abort.abort()), [])

  // What was said of another selection is nothing about this one.
  const { waiting, refusal } = hindrance?.question === question ? hindrance : { waiting: null, refusal: null }
  return {
    count: loaded?.count ?? null,
    run: loaded?.run ?? null,
    question: loaded?.question ?? '',
    at: (position) => rowAt(loaded, position),
    waiting,
    refusal,
    isStale: loaded !== current,
  }
}
