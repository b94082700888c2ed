import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../../base/errors.ts'
import { changeFlags, readFlags } from '../../../output/flags.ts'
import { liveHold } from '../../../output/hold.ts'
import { layout } from '../../../output/layout.ts'
import { namedRun, type NamedRun } from '../../../output/namedRun.ts'
import { readRun } from '../../../output/runs.ts'
import { readSummary, type Summary } from '../../../output/summary.ts'
import { closeCancelled } from '../../../producer/cancel.ts'
import { openStore } from '../../../storage/open.ts'
import type { Store } from '../../../storage/store.ts'
import type { Call } from '../../command.ts'
import { unservedText } from '../../messages/unserved.ts'
import { required } from '../../settings/commandFlags.ts'
import { openDataset } from '../../shared/askedFor.ts'
import { conclude } from '../../shared/conclude.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'

const pollMs = 500

/** Pauses, resumes or cancels the run that the operand names. */
export async function controlRun(call: Call, wish: 'pause' | 'resume' | 'cancel'): Promise<number> {
  const { settings, surroundings, operands, log } = call
  const uri = required(settings, 'output', wish)
  const output = openStore(uri, { endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint, logger: log })
  try {
    await output.check('read')
    const named = await namedRun(output, operands[0] ?? '')
    const { set, run } = named
    if (run.state !== 'open') {
      throw new InputError(
        'no-such-run',
        `run ${run.run} is ${run.state} since ${run.closedAt ?? 'long'}: there is nothing to ${wish}`,
      )
    }
    if (wish === 'cancel') return await cancel(call, output, named)
    const paused = wish === 'pause'
    const wasPaused = (await readFlags(output, set.id, run.run)).paused
    const flags = await changeFlags(output, set.id, run.run, { paused })
    if (settings.json) surroundings.results.write(`${JSON.stringify({ run: run.run, set: set.id, ...flags })}\n`)
    else if (!settings.quiet) {
      const isServed = (await liveHold(output, set.id, new Date()))?.hold.run === run.run
      const done = paused === wasPaused ? already(paused, isServed) : begun(paused, isServed)
      surroundings.results.write(`run ${run.run} ${done}\n`)
    }
    return 0
  } finally {
    output.close()
  }
}

function begun(paused: boolean, isServed: boolean): string {
  if (paused) return isServed ? 'is paused: workers put its shards aside within 5 seconds' : 'is paused'
  return isServed ? 'goes on within ten seconds' : `is paused no more; ${unservedText}`
}

function already(paused: boolean, isServed: boolean): string {
  if (paused) return 'was paused already; headlight resume lets it go on'
  return isServed ? 'was not paused: nothing is changed' : `was not paused; ${unservedText}`
}

/** The producer that serves the run closes it; where there is none, this command does. */
async function cancel(call: Call, output: Store, { set, run }: NamedRun): Promise<number> {
  const { surroundings, display, log } = call
  await changeFlags(output, set.id, run.run, { cancelled: true })
  const stop = stopOnSignal(surroundings, 'the run is cancelled all the same; the same command closes it', () =>
    display.write('stopping'),
  )
  try {
    let isToldToWait = false
    for (;;) {
      try {
        const summary =
          (await closeCancelled({
            output,
            set,
            run,
            openDataset,
            headlightVersion: surroundings.version,
            signal: stop.signal,
            onWait: (message) => display.write(message),
            log,
          })) ?? (await closedSummary(output, set.id, run.run))
        return run.queued === true && summary.counts.total + (summary.counts.left ?? 0) === 0
          ? concludeUnbegun(call, summary)
          : conclude(call, set, summary)
      } catch (error) {
        if (!(error instanceof InputError && error.code === 'held')) throw error
        if (!isToldToWait) display.write('its producer closes it: shards at work, then table and report')
        isToldToWait = true
      }
      await sleep(pollMs, undefined, { signal: stop.signal }).catch(() => stop.signal.throwIfAborted())
      const now = await readRun(output, set.id, run.run)
      if (now?.state !== 'open') return conclude(call, set, await closedSummary(output, set.id, run.run))
    }
  } finally {
    stop.done()
  }
}

/** Of a run that was taken back before a producer listed anything there is nothing to look at. */
function concludeUnbegun({ settings, surroundings, display }: Call, summary: Summary): number {
  display.end()
  if (settings.json) surroundings.results.write(`${JSON.stringify(summary)}\n`)
  else if (!settings.quiet)
    surroundings.results.write(`run ${summary.run} is cancelled before it began; nothing was computed\n`)
  return 0
}

async function closedSummary(output: Store, set: string, run: string): Promise<Summary> {
  const summary = await readSummary(output, set, run)
  if (summary !== undefined) return summary
  throw new InputError('no-such-run', `${output.uri}${layout.summary(set, run)} is gone; the run was closed by another`)
}
