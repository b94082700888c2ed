import { shardsQueue } from '../contract/job.ts'
import { serveRun } from '../producer/main.ts'
import { enqueueRun } from '../producer/serve.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import type { Call } from './command.ts'
import { conclude } from './conclude.ts'
import { givenRedis } from './queueServer.ts'
import { askedFor, openDataset, type AskedFor } from './resultSetOf.ts'
import { runJob } from './runJob.ts'
import { stopOnSignal } from './stopSignals.ts'
import { tellWebhook } from './webhook.ts'

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
  const { settings, surroundings, log } = call
  const set = await asked.prepare()
  const job = await enqueueRun(connection, runJob(call.settings, asked.output, set), log)
  const output = `${asked.output.uri}${set.id}/`
  if (settings.json) surroundings.results.write(`${JSON.stringify({ job, output, state: 'queued' })}\n`)
  else if (!settings.quiet) {
    surroundings.results.write(
      `queued for the next free headlight producer; headlight status --output ${asked.output.uri} shows how far it is\n`,
    )
  }
  return 0
}
