import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import type { Call } from './command.ts'
import { number } from './progressLine.ts'
import { givenRedis } from './queueServer.ts'
import type { QueueStatus } from './queueStatus.ts'
import { resultSetStatuses, type ResultSetStatus } from './resultSetStatus.ts'
import { stopOnSignal } from './stopSignals.ts'
import { place } from './summaryText.ts'
import { openStore } from '../storage/open.ts'

const watchMs = 2_000

interface Status {
  readonly output: string | null
  readonly sets: readonly ResultSetStatus[]
  readonly queues: readonly QueueStatus[]
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
  const read = async (): Promise<Status> => {
    const sets: ResultSetStatus[] = []
    if (output) for await (const status of resultSetStatuses(output, new Date(), run)) sets.push(status)
    if (run !== undefined && sets.length === 0) {
      throw new InputError(
        'no-such-run',
        `${output?.uri} holds no run ${run}; headlight status --output lists the latest ones`,
      )
    }
    const queues = connection ? await (await import('./queueStatus.ts')).queueStatuses(connection, call.log) : []
    return { output: output?.uri ?? null, sets, queues }
  }
  try {
    await output?.check('read')
    const show = (status: Status): void =>
      surroundings.results.write(settings.json ? `${JSON.stringify(status)}\n` : statusText(status))
    if (call.flags['watch'] !== true) {
      show(await read())
      return 0
    }
    const stop = stopOnSignal(surroundings, 'the runs go on', () => undefined)
    try {
      while (!stop.signal.aborted) {
        const status = await read()
        // Home and erase downwards: clearing the whole screen first would flicker. JSON gets a line per look instead.
        if (surroundings.results.isTerminal && !settings.json) surroundings.results.write('\u001b[H\u001b[J')
        show(status)
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

/** For people: a block per result set, a line per queue. */
function statusText({ output, sets, queues }: Status): string {
  const blocks: string[] = []
  if (output !== null && sets.length === 0) blocks.push(`${place(output)} holds no result set\n`)
  for (const set of sets) blocks.push(setText(set))
  if (queues.length > 0) {
    blocks.push(
      queues
        .map((queue) => {
          const counts = (['waiting', 'active', 'delayed'] as const).map((name) => `${number(queue[name])} ${name}`)
          return `${queue.queue.padEnd(22)} ${counts.join(', ')}; ${number(queue.workers)} ${queue.workers === 1 ? 'process' : 'processes'}\n`
        })
        .join(''),
    )
  }
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
    const images = set.images === null ? '' : `${number(set.images)}: `
    const total = set.total === null ? 'done, the listing goes on' : `of ${number(set.total)} computed`
    const rate = set.imagesPerSecond === null ? '' : `, ${set.imagesPerSecond.toFixed(1)} images/s`
    const failed = set.failed === null ? '' : `, ${number(set.failed)} failed records`
    rows.push(['images', `${images}${number(set.done)} ${total}${rate}${failed}`])
  }
  if (set.hold) {
    const { host, pid, heartbeatSecondsAgo } = set.hold
    rows.push(['held by', `process ${pid} on ${host}, seen ${heartbeatSecondsAgo} s ago`])
  }
  if (set.published !== null && set.published !== set.run) rows.push(['published', `run ${set.published}`])
  return `${set.set}\n${rows.map(([name, value]) => `  ${name.padEnd(10)}${value}\n`).join('')}`
}
