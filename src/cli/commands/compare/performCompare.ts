import { changePictures, picturedObjectives } from '../../../report/compare/changePictures.ts'
import type { ComparedTable } from '../../../report/compare/comparedTable.ts'
import { compareTables, type Compared } from '../../../report/compare/compareTables.ts'
import { tableBefore, type FoundTable } from '../../../report/compare/foundTable.ts'
import { renderComparison } from '../../../report/compare/page/comparePage.ts'
import { openStore } from '../../../storage/open.ts'
import type { Store } from '../../../storage/store.ts'
import type { Call } from '../../command.ts'
import { number } from '../../messages/quantities.ts'
import { openDataset } from '../../shared/askedFor.ts'
import { requireSuffix, writeOutputFile } from '../../shared/outputFile.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'
import { comparisonText } from './compareText.ts'
import { tableNamed } from './operand.ts'

/** How often is told how far a long comparison is. */
const toldEveryMs = 10_000

/** Compares what the operands name. Exit code 0 whatever the difference. */
export async function compare(call: Call): Promise<number> {
  const { settings, surroundings, display, log, flags } = call
  const page = typeof flags['page'] === 'string' ? flags['page'] : undefined
  if (page !== undefined) requireSuffix(page, '.html', '--page')
  const stop = stopOnSignal(surroundings, 'nothing was changed', () => display.write('stopping'))
  const stores: Store[] = []
  const open = (uri: string): Store => {
    const store = openStore(uri, { endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint, logger: log })
    stores.push(store)
    return store
  }
  try {
    const [a, b] = await found(call.operands, open)
    const compared = await compareTables({
      a: a.table,
      b: b.table,
      notes: [...a.notes, ...b.notes],
      signal: stop.signal,
      onProgress: progress(call),
    })
    // Before the result is printed: whoever reads that the comparison is there is to find the page as well.
    if (page !== undefined) await writePage(page, a.table, b.table, compared, call, stop.signal)
    const { comparison } = compared
    surroundings.results.write(settings.json ? `${JSON.stringify(comparison)}\n` : comparisonText(comparison))
    if (page !== undefined && !settings.json) surroundings.results.write(`\npage      ${page}\n`)
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
  const first = await tableNamed(uriA, open)
  if (uriB !== undefined) return [first, await tableNamed(uriB, open)]
  return [await tableBefore(first.table), first]
}

async function writePage(
  path: string,
  a: ComparedTable,
  b: ComparedTable,
  { comparison, largest }: Compared,
  { surroundings, display, log, settings }: Call,
  signal: AbortSignal,
): Promise<void> {
  const datasets = { a: openDataset(a.set), b: openDataset(b.set) }
  try {
    if (!settings.quiet && largest.length > 0) display.write(`drawing the ${largest.length} images that changed most`)
    const pictures = await changePictures({ a, b, datasets, largest, signal, log })
    const objectives = picturedObjectives(a, b)
    const html = renderComparison({ comparison, pictures, objectives, headlightVersion: surroundings.version })
    await writeOutputFile(path, html, '--page')
  } finally {
    datasets.a.close()
    datasets.b.close()
  }
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
