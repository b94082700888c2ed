import { shardsQueue } from '../contract/job.ts'
import { PlaceError, type ErrorCode } from '../errors.ts'
import { serveRun } from '../producer/main.ts'
import { startWorker } from '../worker/supervisor.ts'
import type { Call } from './command.ts'
import { conclude } from './conclude.ts'
import { ownFolders, unitCount } from './machine.ts'
import { queueServer } from './queueServer.ts'
import { askedFor, openDataset } from './resultSetOf.ts'
import { stopOnSignal } from './stopSignals.ts'

/**
 * A worker of many waits for its place to be repaired; the only one of a run that somebody looks at gives up after about
 * a minute of trying.
 */
const faultsBorne = 4
/** No waiting helps against an engine that computes nonsense or a network that is another. */
const isPassing = (code: ErrorCode): boolean => code !== 'engine-wrong' && code !== 'network-mismatch'

/** Producer and worker on this machine, over a queue that only this run uses. */
export async function performRun(call: Call): Promise<number> {
  const { settings, surroundings, display, log } = call
  const asked = await askedFor(call, 'run')
  const stop = stopOnSignal(surroundings, 'the same command goes on where it stopped', () =>
    display.write('stopping: the shards at work are handed back (Ctrl-C once more ends at once)'),
  )
  try {
    // Before anything is written: without a queue there is no run.
    const server = await queueServer(call, asked.output.uri)
    try {
      const set = await asked.prepare()
      const queueName = `${shardsQueue}-${set.id}`
      stop.signal.throwIfAborted()
      const fault = new AbortController()
      // Units take a second to start: the listing goes on meanwhile.
      const starting = startWorker({
        connection: server.connection,
        queueName,
        units: unitCount(settings),
        engine: settings.engine,
        batch: settings.batch,
        cacheFolder: ownFolders(settings, surroundings).cache,
        unitSilenceMs: settings.unitSilenceSeconds * 1000,
        fetchConcurrency: settings.fetchConcurrency,
        log,
        onEvent: (event) => {
          if (event.type !== 'place-fault' || (isPassing(event.code) && event.attempt < faultsBorne)) return
          fault.abort(new PlaceError(event.code, event.message))
        },
      })
      starting.catch((error: unknown) => fault.abort(error))
      try {
        const summary = await serveRun({
          output: asked.output,
          set,
          openDataset,
          full: settings.full,
          shardSize: settings.shardSize ?? null,
          connection: server.connection,
          queueName,
          headlightVersion: surroundings.version,
          signal: AbortSignal.any([stop.signal, fault.signal]),
          onProgress: (progress) => display.update(progress),
          log,
        })
        return conclude(call, set, summary)
      } finally {
        // Nothing is waited for: what is not committed is computed again by the next run.
        await starting.then(
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
    asked.dataset.close()
    asked.output.close()
  }
}
