import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import type { Call } from './command.ts'
import { ownFolders } from './machine.ts'
import { number, rateText } from './quantities.ts'
import { givenRedis } from './queueServer.ts'
import type { QueueStatus } from './queueStatus.ts'
import { resultSetStatuses, type ResultSetStatus } from './resultSetStatus.ts'
import { stopOnSignal } from './stopSignals.ts'
import { place } from '../storage/place.ts'
import type { WorkerStatus } from './workerStatus.ts'
import { namedRun } from '../producer/namedRun.ts'
import { openStore } from '../storage/open.ts'

const watchMs = 2_000
/** A run that was asked for by name is watched until then. */
const closedStates: readonly ResultSetStatus['state'][] = ['completed', 'cancelled']

interface Status {
  /** When it was read. */
  readonly at: string
  readonly output: string | null
  readonly sets: readonly ResultSetStatus[]
  readonly queues: readonly QueueStatus[]
  readonly workers: readonly WorkerStatus[]
}

export async function showStatus(call: Call): Promise<number> {
  const { settings, surroundings } = call
  const [run] = call.operands
  if (settings.output === undefined && settings.redis === undefined) {
    throw new InputError('bad-option', 'status needs --output URI, --redis URL or both')
  }
  if (run !== undefined && settings.output === undefined) {
    throw new InputError('bad-option', `status of run ${run} needs --output URI, where it lies`)
  }
  const connection = settings.redis === undefined ? undefined : await givenRedis(call, 'status')
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
      if (output && status.sets.length === 0 && connection === undefined) {
        throw new InputError('no-such-run', `${output.uri} holds no result set; headlight run makes one`)
      }
      show(status)
      return 0
    }
    const stop = stopOnSignal(surroundings, 'the runs go on', () => undefined)
    try {
      while (!stop.signal.aborted) {
        const status = await read()
        // Home and erase downwards: clearing the whole screen first would flicker. In a pipe each look has its time
        // above it, or is one line of JSON.
        if (surroundings.results.isTerminal && !settings.json) surroundings.results.write('\u001b[H\u001b[J')
        else if (!settings.json) surroundings.results.write(`--- ${status.at}\n`)
        show(status)
        if (wanted !== undefined && status.sets.every(({ state }) => closedStates.includes(state))) return 0
        await sleep(watchMs, undefined, { signal: stop.signal }).catch(() => undefined)
      }
      return 0
    } finally {
      stop.done()
    }
  } finally {
    output?.close()
  }
}

/** For people: a block per result set, a line per queue and worker. */
function statusText({ output, sets, queues, workers }: Status): string {
  const blocks: string[] = []
  if (output !== null && sets.length === 0) blocks.push(`${place(output)} holds no result set\n`)
  for (const set of sets) blocks.push(setText(set))
  if (queues.length > 0) {
    blocks.push(
      queues
        .map((queue) => {
          const counts = (['waiting', 'active', 'delayed'] as const).map((name) => `${number(queue[name])} ${name}`)
          const { scheduled, workers } = queue
          if (scheduled > 0) counts.push(`${number(scheduled)} scheduled`)
          const processes = workers === null ? '' : `; ${number(workers)} ${workers === 1 ? 'process' : 'processes'}`
          return `${queue.queue.padEnd(22)} ${counts.join(', ')}${processes}\n`
        })
        .join(''),
    )
  }
  if (workers.length > 0) blocks.push(workersText(workers))
  return blocks.join('\n')
}

function setText(set: ResultSetStatus): string {
  const rows: [string, string][] = [
    ['network', `${set.network}, objectives ${set.objectives.join(', ')}`],
    ['dataset', place(set.dataset)],
  ]
  if (set.run === null) rows.push(['run', 'none yet'])
  else {
    rows.push(['run', `${set.run}, ${set.state}`])
    if (set.images !== null && set.failed !== null) {
      rows.push([
        'images',
        `${number(set.images)}: ${number(set.images - set.failed)} with a map, ${number(set.failed)} failed`,
      ])
    }
    rows.push([set.images === null ? 'images' : 'this run', workText(set)])
  }
  if (set.hold) {
    const { host, pid, heartbeatSecondsAgo } = set.hold
    rows.push(['held by', `process ${pid} on ${host}, seen ${heartbeatSecondsAgo} s ago`])
  }
  if (set.published !== null && set.published !== set.run) rows.push(['table', `as run ${set.published} left it`])
  return `${set.set}\n${rows.map(([name, value]) => `  ${name.padEnd(10)}${value}\n`).join('')}`
}

/** What the run had to do, and how much of it is done. A failed image is done, too. */
function workText({ state, images, done, total, imagesPerSecond }: ResultSetStatus): string {
  const rate = imagesPerSecond === null ? '' : `, ${rateText(imagesPerSecond)}`
  if (state === 'queued') return 'none listed yet: it waits for a headlight producer'
  if (total === null)
    return `${number(done)} done, the listing ${state === 'running' ? 'goes on' : 'has not ended'}${rate}`
  if (total === 0 && state === 'cancelled') return 'cancelled before anything was computed'
  if (total === 0) return images === null ? 'nothing new or changed' : 'nothing had changed, nothing was computed'
  return `${number(done)} of ${number(total)} new or changed ones done${rate}`
}

/** The workers of the given Redis; without one those of the private Redis that serves a run of this output here. */
async function workersOf(
  { settings, surroundings, log }: Call,
  given: QueueConnection | undefined,
  output: string | undefined,
): Promise<WorkerStatus[]> {
  const { runningPrivateRedis } = await import('../queue/privateRedis.ts')
  const stateFolder = ownFolders(settings, surroundings).state
  const connection = given ?? (output === undefined ? undefined : await runningPrivateRedis({ stateFolder, output }))
  return connection ? (await import('./workerStatus.ts')).workerStatuses(connection, log) : []
}

function stateText({ state, activity, fault }: WorkerStatus): string {
  if (fault !== null) return `${state}: ${fault}`
  return state === 'working' && activity !== undefined && activity !== 'computing' ? activity : state
}

function workersText(workers: readonly WorkerStatus[]): string {
  const rows = workers.map((worker) => [
    `${worker.host} ${worker.pid}`,
    worker.version,
    worker.engine,
    `${worker.units} × ${worker.device}`,
    stateText(worker),
    worker.imagesPerSecond > 0 ? rateText(worker.imagesPerSecond) : '–',
    `seen ${worker.lastSignSecondsAgo} s ago`,
  ])
  const heads = ['worker', 'version', 'engine', 'device', 'state', 'rate', 'sign of life']
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `${row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`
  return [heads, ...rows].map(line).join('')
}
