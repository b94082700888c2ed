import { pause } from '../../../base/backoff.ts'
import { InputError } from '../../../base/errors.ts'
import { namedRun } from '../../../output/namedRun.ts'
import type { QueueConnection } from '../../../queue/redisUrl.ts'
import type { WorkerStatus } from '../../../queue/workerStatus.ts'
import { openStore } from '../../../storage/open.ts'
import type { Call } from '../../command.ts'
import { givenRedis } from '../../shared/redis.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'
import { resultSetStatuses, type ResultSetStatus } from './resultSetStatus.ts'
import { statusText, type Status } from './statusText.ts'

const watchMs = 2_000
/** A run that was asked for by name is watched until then. */
const closedStates: readonly ResultSetStatus['state'][] = ['completed', 'cancelled']

export async function showStatus(call: Call): Promise<number> {
  const { settings, surroundings } = call
  const [run] = call.operands
  if (settings.output === undefined && settings.redis === undefined) {
    throw new InputError('bad-option', 'status needs --output URI, --redis URL or both')
  }
  if (run !== undefined && settings.output === undefined) {
    throw new InputError('bad-option', `status of run ${run} needs --output URI, where it lies`)
  }
  let connection: QueueConnection | undefined
  let queueFault: InputError | undefined
  if (settings.redis !== undefined) {
    connection = await givenRedis(call, 'status').catch((error: unknown) => {
      // How far the runs are, their output says without it.
      if (!(error instanceof InputError) || settings.output === undefined || call.flags['watch'] === true) throw error
      queueFault = error
      return undefined
    })
  }
  const output =
    settings.output === undefined
      ? undefined
      : openStore(settings.output, { endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint })
  let wanted: string | undefined
  const read = async (): Promise<Status> => {
    const sets: ResultSetStatus[] = []
    if (output) for await (const status of resultSetStatuses(output, new Date(), wanted)) sets.push(status)
    const queues = connection ? await (await import('./queueStatus.ts')).queueStatuses(connection, call.log) : []
    return {
      at: new Date().toISOString(),
      output: output?.uri ?? null,
      sets,
      queues,
      workers: await workersOf(call, connection, output?.uri),
    }
  }
  try {
    await output?.check('read')
    // Looked up once: while it is watched, `latest` must not become another run.
    wanted = output && run !== undefined ? (await namedRun(output, run)).run.run : undefined
    const show = (status: Status): void =>
      surroundings.results.write(settings.json ? `${JSON.stringify(status)}\n` : statusText(status))
    if (call.flags['watch'] !== true) {
      const status = await read()
      // As the report command says it; while it is watched, or beside a queue, there may be one in a moment.
      if (output && status.sets.length === 0 && settings.redis === undefined) {
        throw new InputError('no-such-run', `${output.uri} holds no result set; headlight run makes one`)
      }
      show(status)
      if (queueFault !== undefined) throw queueFault
      return 0
    }
    const stop = stopOnSignal(surroundings, 'the runs go on', () => undefined)
    const end = AbortSignal.any([stop.signal, surroundings.results.unread])
    try {
      while (!end.aborted) {
        const status = await read()
        // Home and erase downwards: clearing the whole screen first would flicker. In a pipe each look has its time
        // above it, or is one line of JSON.
        if (surroundings.results.isTerminal && !settings.json) surroundings.results.write('\u001b[H\u001b[J')
        else if (!settings.json) surroundings.results.write(`--- ${status.at}\n`)
        show(status)
        if (wanted !== undefined && status.sets.every(({ state }) => closedStates.includes(state))) return 0
        await pause(watchMs, { signal: end })
      }
      return 0
    } finally {
      stop.done()
    }
  } finally {
    output?.close()
  }
}

/** The workers of the given Redis; without one those of the private Redis that serves a run of this output here. */
async function workersOf(
  { folders, log }: Call,
  given: QueueConnection | undefined,
  output: string | undefined,
): Promise<WorkerStatus[]> {
  const { runningPrivateRedis } = await import('../../../queue/privateRedis.ts')
  const stateFolder = folders.state
  const connection = given ?? (output === undefined ? undefined : await runningPrivateRedis({ stateFolder, output }))
  if (connection === undefined) return []
  const { workerStatuses } = await import('../../../queue/workerStatus.ts')
  return workerStatuses(connection, log)
}
