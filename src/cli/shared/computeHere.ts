import { InputError, PlaceError, type ErrorCode } from '../../base/errors.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { Retry } from '../../output/runs.ts'
import { serveRun } from '../../producer/serveRun.ts'
import { shardsQueue } from '../../queue/jobs.ts'
import type { Store } from '../../storage/store.ts'
import { startWorker, type RunningWorker } from '../../worker/supervisor/supervisor.ts'
import type { Call } from '../command.ts'
import { openDataset } from './askedFor.ts'
import { conclude } from './conclude.ts'
import { planWorker } from './planWorker.ts'
import { queueServer } from './redis.ts'
import { stopOnSignal } from './stopSignals.ts'
import { tellWebhook } from './webhook.ts'

/**
 * A worker of many waits for its place to be repaired; the only one of a run that somebody looks at gives up after about
 * a minute of trying.
 */
const faultsBorne = 4
/** No waiting helps against an engine that computes nonsense. */
const isPassing = (code: ErrorCode): boolean => code !== 'engine-wrong'

interface Asked {
  readonly output: Store
  /** Called once there is a queue: without one there is no run, and nothing is to be written. */
  readonly prepare: () => Promise<ResultSet>
  /** Only failed samples. */
  readonly retry?: Retry
}

/** Producer and worker on this machine, over a queue that only this run uses. */
export async function computeHere(call: Call, { output, prepare, retry }: Asked): Promise<number> {
  const { settings, surroundings, display, log } = call
  const stop = stopOnSignal(surroundings, 'the same command goes on where it stopped', () =>
    display.write('stopping: the shards at work are handed back (Ctrl-C once more ends at once)'),
  )
  try {
    const server = await queueServer(call, output.uri)
    try {
      const set = await prepare()
      const queueName = `${shardsQueue}-${set.id}`
      stop.signal.throwIfAborted()
      const fault = new AbortController()
      let starting: Promise<RunningWorker> | undefined
      // Units take seconds to start: not for a dataset in which nothing has changed, and while the rest is listed.
      const onWork = () => {
        if (starting !== undefined) return
        starting = planWorker(call, set).then((plan) =>
          startWorker({
            connection: server.connection,
            queueName,
            ...plan,
            onEvent: (event) => {
              // There is no other run to go on with.
              if (event.type === 'run-fault') return fault.abort(new InputError(event.code, event.message))
              if (event.type !== 'place-fault' || (isPassing(event.code) && event.attempt < faultsBorne)) return
              fault.abort(new PlaceError(event.code, event.message))
            },
          }),
        )
        starting.catch((error: unknown) => fault.abort(error))
      }
      try {
        const summary = await serveRun({
          output,
          set,
          openDataset,
          full: settings.full,
          retry,
          prune: settings.prune,
          keepRuns: settings.keepRuns,
          report: settings.report,
          shardSize: settings.shardSize ?? null,
          connection: server.connection,
          queueName,
          headlightVersion: surroundings.version,
          signal: AbortSignal.any([stop.signal, fault.signal]),
          onProgress: (progress) => display.update(progress),
          hasOwnWorkers: true,
          onWork,
          log,
        })
        await tellWebhook(call, summary)
        return conclude(call, set, summary)
      } finally {
        // Nothing is waited for: what is not committed is computed again by the next run.
        await starting?.then(
          (worker) => worker.drain(0),
          // Said by serveRun, which it aborted.
          () => undefined,
        )
      }
    } finally {
      await server.release()
    }
  } finally {
    stop.done()
  }
}
