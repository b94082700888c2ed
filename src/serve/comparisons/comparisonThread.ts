import { parentPort, workerData } from 'node:worker_threads'
import { toErrorMessage } from '../../base/errorMessage.ts'
import { readSummary } from '../../output/summary.ts'
import type { ComparedTable } from '../../report/compare/comparedTable.ts'
import { compareTables } from '../../report/compare/compareTables.ts'
import { mapFates } from '../../report/compare/standingMaps.ts'
import { openStore } from '../../storage/open.ts'
import { compareReply } from './compareReply.ts'
import type { ComparisonThreadData, FromComparisonThread } from './threadMessages.ts'

// One comparison's thread: two tables of a million rows take a minute, in which every other request would wait. It is ended
// from outside when nobody wants to know any more; it reads only, so that nothing is left half done.

const port = parentPort
if (port === null) throw new Error('comparisonThread runs as a thread only')
const say = (message: FromComparisonThread): void => port.postMessage(message)
const toldEveryMs = 100

try {
  await compare(workerData as ComparisonThreadData)
} catch (error) {
  say({ type: 'failed', error: toErrorMessage(error) })
}

async function compare({ output: uri, endpoint, notes, ...tables }: ComparisonThreadData): Promise<void> {
  const output = openStore(uri, { endpoint })
  const { signal } = new AbortController()
  try {
    const [a, b]: [ComparedTable, ComparedTable] = [
      { output, ...tables.a },
      { output, ...tables.b },
    ]
    const total = Math.max(await imagesOf(a), await imagesOf(b))
    const compared = await compareTables({ a, b, notes, signal, onProgress: progress(total) })
    const fatesA = await mapFates(
      a,
      compared.largest.map((image) => image.a),
      signal,
    )
    const fatesB = await mapFates(
      b,
      compared.largest.map((image) => image.b),
      signal,
    )
    say({ type: 'compared', reply: compareReply(a, b, compared.comparison, { a: fatesA, b: fatesB }) })
  } finally {
    output.close()
  }
}

/** Rows of a table; 0 where its summary is not there to say so. */
async function imagesOf({ output, set, run }: ComparedTable): Promise<number> {
  return (await readSummary(output, set.id, run))?.counts.total ?? 0
}

function progress(total: number): (keys: number) => void {
  let toldMs = 0
  return (keys) => {
    // A look at the clock for each of a million rows would be felt.
    if (keys % 500 !== 0) return
    const now = performance.now()
    if (now - toldMs < toldEveryMs) return
    toldMs = now
    say({ type: 'progress', done: total === 0 ? keys : Math.min(keys, total), total })
  }
}
