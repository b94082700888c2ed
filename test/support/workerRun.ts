import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Job, Queue } from 'bullmq'
import { onTestFinished } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import { fingerprint, type ManifestEntry, type ManifestHeader } from '../../src/output/manifest.ts'
import { resultSetId, type ResultSet } from '../../src/output/resultSet.ts'
import { openQueue } from '../../src/queue/connection.ts'
import { shardJobId, shardJobOptions, type ShardJob, type ShardResult } from '../../src/queue/jobs.ts'
import type { QueueConnection } from '../../src/queue/redisUrl.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import type * as Supervisor from '../../src/worker/supervisor/supervisor.ts'
import type { RunningWorker, WorkerOptions } from '../../src/worker/supervisor/supervisor.ts'
import type { WorkerEvent } from '../../src/worker/supervisor/workerEvent.ts'
import { silent } from './redis.ts'
import { contents, resultSet, testImages, tinyCheckpoint } from './shard.ts'

/** Units are processes, which need the built program. */
const { startWorker } = (await import(
  new URL('../../dist/worker/supervisor/supervisor.js', import.meta.url).href
)) as typeof Supervisor

/** A listed run over copies of the test images, with its shards in a queue of its own. */
export class TestRun {
  readonly folder: string
  readonly output: Store
  readonly set: ResultSet
  readonly connection: QueueConnection
  readonly queueName: string
  readonly jobs: readonly ShardJob[]
  readonly #queue: Queue<ShardJob, ShardResult>

  private constructor(
    folder: string,
    output: Store,
    set: ResultSet,
    connection: QueueConnection,
    jobs: readonly ShardJob[],
  ) {
    this.folder = folder
    this.output = output
    this.set = set
    this.connection = connection
    this.jobs = jobs
    this.queueName = `shards-${basename(folder)}`
    this.#queue = openQueue(connection, this.queueName, silent)
  }

  static async list(connection: QueueConnection, images: number, shardSize: number): Promise<TestRun> {
    const folder = await mkdtemp(join(tmpdir(), 'headlight-run-'))
    const dataset = openStore(join(folder, 'images'))
    const output = openStore(join(folder, 'out'))
    await output.check('write')
    await mkdir(join(folder, 'images'))
    const files = await readdir(testImages)
    const entries: ManifestEntry[] = []
    for (let i = 0; i < images; i++) {
      const key = `${String(i).padStart(4, '0')}.png`
      await copyFile(join(testImages, files[i % files.length] ?? ''), join(folder, 'images', key))
      const info = await dataset.head(key)
      if (!info) throw new Error(`${key} was not copied`)
      // Not the file's own digest, which holds its time: two runs must be comparable.
      entries.push({ ...info, fingerprint: fingerprint({ etag: key, companions: [] }), companions: [] })
    }
    const set = await putSet(output, dataset)
    await putPart(output, set, entries, shardSize)
    const jobs: ShardJob[] = []
    for (let offset = 0; offset < images; offset += shardSize)
      jobs.push({ ...jobOf(output, set), part: 0, offset, count: Math.min(shardSize, images - offset) })
    const run = new TestRun(folder, output, set, connection, jobs)
    onTestFinished(() => run.remove())
    await run.enqueue()
    return run
  }

  async enqueue(): Promise<void> {
    for (const job of this.jobs)
      await this.#queue.add('shard', job, { ...shardJobOptions, jobId: shardJobId(job), backoff: 10 })
  }

  /** What Redis does when its disk is lost. */
  async loseQueue(): Promise<void> {
    await this.#queue.obliterate({ force: true })
  }

  job(index: number): Promise<Job<ShardJob, ShardResult> | undefined> {
    const job = this.jobs[index]
    if (!job) throw new Error(`there is no job ${index}`)
    return this.#queue.getJob(shardJobId(job))
  }

  options(more: Partial<WorkerOptions> = {}): WorkerOptions {
    return {
      connection: this.connection,
      queueName: this.queueName,
      units: 1,
      engine: 'onnxruntime',
      batch: 1,
      cacheFolder: join(this.folder, 'cache'),
      unitSilenceMs: 60_000,
      unitStartMs: 600_000,
      headlightVersion: '0.0.0',
      log: silent,
      ...more,
    }
  }

  async work(more: Partial<WorkerOptions> = {}): Promise<{ worker: RunningWorker; events: WorkerEvent[] }> {
    const events: WorkerEvent[] = []
    const worker = await startWorker(this.options({ onEvent: (event) => events.push(event), ...more }))
    onTestFinished(() => worker.drain(0))
    return { worker, events }
  }

  /** Keys below a folder of the result set. */
  async keys(folder: 'maps' | `runs/${string}/records`): Promise<string[]> {
    return [...(await contents(this.output, `${this.set.id}/${folder}/`)).keys()]
  }

  async committed(): Promise<number> {
    return (await this.keys('runs/run-1/records')).filter((key) => key.endsWith('.jsonl')).length
  }

  /** Maps and records, by key. */
  async results(): Promise<Map<string, string>> {
    const maps = await contents(this.output, `${this.set.id}/maps/`)
    const records = await contents(this.output, layout.records(this.set.id, 'run-1'))
    return new Map([...maps, ...records].map(([key, bytes]) => [key.slice(this.set.id.length), bytes]))
  }

  private async remove(): Promise<void> {
    await this.#queue.close()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
}

export function unitPids(events: readonly WorkerEvent[]): number[] {
  return events.flatMap((event) => (event.type === 'unit-started' && event.pid !== undefined ? [event.pid] : []))
}

function jobOf(output: Store, set: ResultSet): Pick<ShardJob, 'run' | 'output' | 'set'> {
  return { run: 'run-1', output: output.uri, set: set.id }
}

async function putSet(output: Store, dataset: Store): Promise<ResultSet> {
  const bytes = await readFile(tinyCheckpoint)
  const file = basename(tinyCheckpoint)
  const network = {
    file,
    digest: createHash('sha256').update(bytes).digest('hex'),
    description: loadNetwork(bytes, file).description,
  }
  const plain = resultSet(dataset.uri, { objectives: ['sum'], maxPixels: 1_000_000 })
  const set: ResultSet = { ...plain, network, id: resultSetId({ ...plain, network }) }
  await output.put(layout.network(set.id, file), bytes)
  await output.put(layout.set(set.id), JSON.stringify(set))
  return set
}

async function putPart(output: Store, set: ResultSet, entries: readonly ManifestEntry[], shardSize: number) {
  const header: ManifestHeader = {
    schema: 1,
    part: 0,
    through: entries.at(-1)?.key ?? '',
    count: entries.length,
    shardSize,
    unchanged: 0,
    gone: [],
  }
  const lines = [header, ...entries].map((line) => `${JSON.stringify(line)}\n`).join('')
  await output.put(layout.manifestPart(set.id, 'run-1', 0), gzipSync(lines))
}
