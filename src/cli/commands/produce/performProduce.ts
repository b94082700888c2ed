import { queueRun } from '../../../producer/queueRun.ts'
import { serveRun } from '../../../producer/serveRun.ts'
import { shardsQueue } from '../../../queue/jobs.ts'
import type { QueueConnection } from '../../../queue/redisUrl.ts'
import { place } from '../../../storage/place.ts'
import type { Call } from '../../command.ts'
import { askedFor, openDataset, type AskedFor } from '../../shared/askedFor.ts'
import { conclude } from '../../shared/conclude.ts'
import { givenRedis } from '../../shared/redis.ts'
import { runJob } from '../../shared/runJob.ts'
import { warnWithoutProducer } from '../../shared/standingProducer.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'
import { tellWebhook } from '../../shared/webhook.ts'

/** Serves a run for workers elsewhere until it is closed, or leaves it to a standing producer. */
export async function performProduce(call: Call): Promise<number> {
  const { settings, surroundings, display, log } = call
  const connection = await givenRedis(call, 'produce')
  const asked = await askedFor(call, 'produce')
  try {
    if (call.flags['detach'] === true) return await addRun(call, asked, connection)
    const stop = stopOnSignal(surroundings, 'the same command goes on where it stopped', () =>
      display.write('stopping: workers finish what is queued (Ctrl-C once more ends at once)'),
    )
    try {
      const set = await asked.prepare()
      const summary = await serveRun({
        output: asked.output,
        set,
        openDataset,
        full: settings.full,
        prune: settings.prune,
        keepRuns: settings.keepRuns,
        report: settings.report,
        priority: settings.priority,
        shardSize: settings.shardSize ?? null,
        connection,
        queueName: shardsQueue,
        headlightVersion: surroundings.version,
        signal: stop.signal,
        onProgress: (progress) => display.update(progress),
        log,
      })
      await tellWebhook(call, summary)
      return conclude(call, set, summary)
    } finally {
      stop.done()
    }
  } finally {
    asked.dataset.close()
    asked.output.close()
  }
}

async function addRun(call: Call, asked: AskedFor, connection: QueueConnection): Promise<number> {
  const { settings, surroundings, display, log } = call
  const stop = stopOnSignal(surroundings, 'the same command adds the run again', () => display.write('stopping'))
  try {
    const set = await asked.prepare()
    for (const warning of asked.indexWarnings) log.warn(warning)
    const { job, run } = await queueRun({
      connection,
      output: asked.output,
      set,
      job: runJob(settings, asked.output, set),
      signal: stop.signal,
      onWait: (message) => display.write(message),
      log,
    })
    const output = `${asked.output.uri}${set.id}/`
    if (settings.json) surroundings.results.write(`${JSON.stringify({ job, run, output, state: 'queued' })}\n`)
    else if (!settings.quiet) surroundings.results.write(queuedText(run, place(asked.output.uri)))
    await warnWithoutProducer(connection, log)
    return 0
  } finally {
    stop.done()
  }
}

function queuedText(run: string | null, output: string): string {
  const what =
    run === null
      ? 'queued for a standing headlight producer, behind the run that is open now; it gets its id when it begins'
      : `run ${run} is queued for a standing headlight producer`
  return (
    `${what}\n  headlight status --output ${output}   shows how far it is\n` +
    (run === null
      ? ''
      : `  headlight cancel ${run} --output ${output}   takes it back; pause and resume work as well\n`)
  )
}
