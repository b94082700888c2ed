import type { Logger } from '../base/telemetry.ts'
import { Hold, type HoldTimes } from '../output/hold.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { readRun, type Run } from '../output/runs.ts'
import type { Summary } from '../output/summary.ts'
import { runInLog } from '../queue/jobs.ts'
import { Patience, type PatienceTimes } from '../storage/patience.ts'
import { PatientStore } from '../storage/patientStore.ts'
import type { Store } from '../storage/store.ts'
import { finalize } from './finalize.ts'

export interface CloseCancelledOptions {
  readonly output: Store
  readonly set: ResultSet
  readonly run: Run
  readonly openDataset: (set: ResultSet) => Store
  readonly headlightVersion: string
  readonly signal: AbortSignal
  /** Says whose hold is waited for, or that a store is. */
  readonly onWait: (message: string) => void
  readonly log: Logger
  /** For tests; the defaults suit everything else. */
  readonly times?: { readonly hold?: HoldTimes; readonly store?: PatienceTimes }
}

/**
 * Closes a run as cancelled that no producer serves: its committed records are merged and published. Undefined when it
 * was closed by another meanwhile. InputError `held` when a producer writes to the result set; if it serves this run it
 * closes it itself, as the flags say.
 */
export async function closeCancelled(options: CloseCancelledOptions): Promise<Summary | undefined> {
  const { output, set, openDataset, headlightVersion, signal, onWait, times } = options
  const log = options.log.child(runInLog({ set: set.id, run: options.run.run }))
  const patienceUntil = (end: AbortSignal): Patience =>
    new Patience({
      signal: end,
      say: (message) => {
        if (message !== undefined) onWait(message)
      },
      times: times?.store,
    })
  const beforehand = patienceUntil(signal)
  const hold = await Hold.take({
    output,
    set: set.id,
    signal,
    patience: beforehand,
    onWait,
    log,
    ...(times?.hold === undefined ? {} : { times: times.hold }),
  })
  try {
    // What goes on for minutes, as does removing older runs, ends where another has taken the hold.
    const patience = patienceUntil(AbortSignal.any([signal, hold.lost]))
    const run = await readRun(new PatientStore(output, patience), set.id, options.run.run)
    if (run?.state !== 'open') return undefined
    await hold.setRun(run.run)
    return await finalize({
      output,
      openDataset,
      set,
      run,
      state: 'cancelled',
      prune: run.prune === true,
      keepRuns: run.keepRuns,
      report: run.report ?? true,
      work: { engines: [], imagesPerSecond: null },
      headlightVersion,
      patience,
      confirmHold: async () => {
        signal.throwIfAborted()
        await hold.confirm()
      },
      log,
    })
  } finally {
    await hold.release().catch((error: unknown) => {
      log.warn({ err: error }, 'the hold could not be given back')
    })
  }
}
