import { HeadlightError, InputError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { currentRun } from '../output/current.ts'
import { Hold, type HoldTimes } from '../output/hold.ts'
import { layout } from '../output/layout.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { runInLog } from '../queue/jobs.ts'
import { Patience, type PatienceTimes } from '../storage/patience.ts'
import { PatientStore } from '../storage/patientStore.ts'
import type { Store } from '../storage/store.ts'
import type { Atlas } from './atlas.ts'
import { atlasBeside, completedAtlas } from './backfill.ts'

export interface BackfillAloneOptions {
  readonly output: Store
  readonly set: ResultSet
  readonly signal: AbortSignal
  /** Says what is waited for, and why it was not done. What it costs the log says. */
  readonly say: (message: string) => void
  readonly log: Logger
  /** For tests; the defaults suit everything else. */
  readonly times?: { readonly hold?: HoldTimes; readonly store?: PatienceTimes }
}

/**
 * The atlas of a result set's state, for whoever closes no run: made under the hold where it is missing. Undefined where
 * there is no state, and where it cannot be made now, which is said and is no error: what it is for can do without.
 * Rejects with the signal's reason.
 */
export async function atlasOfState(options: BackfillAloneOptions): Promise<Atlas | undefined> {
  const { output, set, signal, say, log } = options
  try {
    const run = await stateRun(output, set.id)
    if (run === undefined) return undefined
    return (await atlasBeside({ output, set, run, log })) ?? (await madeUnderHold(options))
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof HeadlightError)) throw error
    const isHeld = error instanceof InputError && error.code === 'held'
    const why = isHeld ? `${set.id} is being written, and the run at work adds them up` : error.message
    say(`the small maps of ${set.id} are not added up by pose now: ${why}`)
    return undefined
  }
}

/** Undefined where there is no state, or its table is gone. */
async function stateRun(output: Store, set: string): Promise<string | undefined> {
  const run = await currentRun(output, set)
  if (run === null || (await output.head(layout.runTable(set, run))) === undefined) return undefined
  return run
}

async function madeUnderHold(options: BackfillAloneOptions): Promise<Atlas | undefined> {
  const { output, set, signal, times } = options
  const { log } = options
  const say = (message: string | undefined): void => {
    if (message !== undefined) options.say(message)
  }
  const patience = new Patience({ signal, say, times: times?.store })
  const hold = await Hold.take({
    output,
    set: set.id,
    signal,
    patience,
    onWait: say,
    log,
    ...(times?.hold === undefined ? {} : { times: times.hold }),
  })
  try {
    const patient = new PatientStore(output, patience)
    // A run may have been published meanwhile.
    const run = await stateRun(patient, set.id)
    if (run === undefined) return undefined
    const made = await completedAtlas({
      output: patient,
      set,
      run,
      say: () => undefined,
      signal: AbortSignal.any([signal, hold.lost]),
      confirmHold: async () => {
        signal.throwIfAborted()
        await hold.confirm()
      },
      log: log.child(runInLog({ set: set.id, run })),
    })
    return made.atlas
  } finally {
    await hold.release().catch((error: unknown) => {
      log.warn({ err: error }, 'the hold could not be given back')
    })
  }
}
