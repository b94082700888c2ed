import { compareTables } from '../../../report/compare/compareTables.ts'
import { openStore } from '../../../storage/open.ts'
import type { Store } from '../../../storage/store.ts'
import type { Call } from '../../command.ts'
import { number } from '../../messages/quantities.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'
import { comparisonText } from './compareText.ts'
import { tableBefore, tableOf, type FoundTable } from './operand.ts'

/** How often is told how far a long comparison is. */
const toldEveryMs = 10_000

/** Compares what the operands name. Exit code 0 whatever the difference. */
export async function compare(call: Call): Promise<number> {
  const { settings, surroundings, display, log } = call
  const stop = stopOnSignal(surroundings, 'nothing was changed', () => display.write('stopping'))
  const stores: Store[] = []
  const open = (uri: string): Store => {
    const store = openStore(uri, { endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint, logger: log })
    stores.push(store)
    return store
  }
  try {
    const [a, b] = await found(call.operands, open)
    const { comparison } = await compareTables({
      a: a.table,
      b: b.table,
      notes: [...a.notes, ...b.notes],
      signal: stop.signal,
      onProgress: progress(call),
    })
    surroundings.results.write(settings.json ? `${JSON.stringify(comparison)}\n` : comparisonText(comparison))
    return 0
  } finally {
    for (const store of stores) store.close()
    stop.done()
  }
}

async function found(
  [uriA = '', uriB]: readonly string[],
  open: (uri: string) => Store,
): Promise<[FoundTable, FoundTable]> {
  const first = await tableOf(uriA, open)
  if (uriB !== undefined) return [first, await tableOf(uriB, open)]
  return [await tableBefore(first.table), first]
}

/** Says from time to time how far it is. */
function progress({ settings, display }: Call): (keys: number) => void {
  let toldMs = performance.now()
  return (keys) => {
    // A look at the clock for each of a million rows would be felt.
    if (keys % 1_000 !== 0 || settings.quiet) return
    const now = performance.now()
    if (now - toldMs < toldEveryMs) return
    toldMs = now
    display.write(`${number(keys)} images looked at`)
  }
}
