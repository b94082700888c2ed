import { isSilent, workerStateText, type WorkerStatus } from '../../../queue/workerStatus.ts'
import { place } from '../../../storage/place.ts'
import { number, rateText } from '../../messages/quantities.ts'
import { unservedText } from '../../messages/unserved.ts'
import type { QueueStatus } from './queueStatus.ts'
import type { ResultSetStatus } from './resultSetStatus.ts'

export interface Status {
  /** When it was read. */
  readonly at: string
  readonly output: string | null
  readonly sets: readonly ResultSetStatus[]
  readonly queues: readonly QueueStatus[]
  readonly workers: readonly WorkerStatus[]
}

/** For people: a block per result set, a line per queue and worker. */
export function statusText({ output, sets, queues, workers }: Status): string {
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
  if (workers.length > 0) blocks.push(`${workersText(workers)}${leavingText(workers)}`)
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
  } else if (set.state === 'interrupted') {
    rows.push(['held by', unservedText])
  }
  if (set.published !== null && set.published !== set.run) rows.push(['table', `as run ${set.published} left it`])
  return `${set.set}\n${rows.map(([name, value]) => `  ${name.padEnd(10)}${value}\n`).join('')}`
}

/** What the run had to do, and how much of it is done. A failed image is done, too. */
function workText({ state, images, done, total, imagesPerSecond }: ResultSetStatus): string {
  const rate = imagesPerSecond === null ? '' : `, ${rateText(imagesPerSecond)}`
  if (state === 'queued') return 'none listed yet: it waits for a free headlight producer'
  if (total === null)
    return `${number(done)} done, the listing ${state === 'running' ? 'goes on' : 'has not ended'}${rate}`
  if (total === 0 && state === 'cancelled') return 'cancelled before anything was computed'
  if (total === 0) return images === null ? 'nothing new or changed' : 'nothing had changed, nothing was computed'
  return `${number(done)} of ${number(total)} new or changed ones done${rate}`
}

/** Without it, a run that nobody takes would look like one that waits for its turn. */
function leavingText(workers: readonly WorkerStatus[]): string {
  return workers
    .flatMap((worker) => {
      if (worker.leaves === undefined || isSilent(worker)) return []
      const { run, code, message } = worker.leaves
      return [`worker ${worker.host} ${worker.pid} does not take shards of run ${run} (${code}): ${message}\n`]
    })
    .join('')
}

function workersText(workers: readonly WorkerStatus[]): string {
  const rows = workers.map((worker) => [
    `${worker.host} ${worker.pid}`,
    worker.version,
    worker.engine,
    `${worker.units} × ${worker.device}`,
    workerStateText(worker),
    worker.imagesPerSecond > 0 && !isSilent(worker) ? rateText(worker.imagesPerSecond) : '–',
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
