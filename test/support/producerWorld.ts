import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Worker } from 'bullmq'
import { Hold } from '../../src/output/hold.ts'
import { layout, shardName } from '../../src/output/layout.ts'
import { magnitudeBytes } from '../../src/output/magnitudeFile.ts'
import { Manifest, type ManifestEntry } from '../../src/output/manifest.ts'
import { readNetworkFile } from '../../src/output/networkFile.ts'
import { prepareResultSet } from '../../src/output/prepareResultSet.ts'
import type { OkRecord, Record as SampleRecord } from '../../src/output/record.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { samplesMark } from '../../src/output/shardSamples.ts'
import type { Summary } from '../../src/output/summary.ts'
import { readTable, type TableRow } from '../../src/output/table.ts'
import { serveRunsQueue, type ServeRunsOptions } from '../../src/producer/serveQueue.ts'
import { serveRun, type ServeRunOptions } from '../../src/producer/serveRun.ts'
import { openWorker } from '../../src/queue/connection.ts'
import { shardJobSchema, shardsQueue, type ShardJob, type ShardResult } from '../../src/queue/jobs.ts'
import type { QueueConnection } from '../../src/queue/redisUrl.ts'
import { FilesystemStore } from '../../src/storage/filesystem.ts'
import { Patience } from '../../src/storage/patience.ts'
import type { ObjectWriter, Store } from '../../src/storage/store.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { silent } from './redis.ts'

/** Raises what a store raises at once. */
export const noPatience = new Patience({
  signal: new AbortController().signal,
  say: () => undefined,
  times: { firstMs: 1, longestMs: 1, limitMs: 0 },
})

const relus = [{ kind: 'relu', count: 3, guided: 3 }]

/** A dataset and an output in temporary folders. */
export class World {
  readonly folder: string
  readonly dataset: Store
  readonly output: Store

  private constructor(folder: string) {
    this.folder = folder
    this.dataset = new FilesystemStore(join(folder, 'dataset'))
    this.output = new FilesystemStore(join(folder, 'output'))
  }

  static async make(keys: readonly string[] = []): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'headlight-producer-')))
    await mkdir(join(world.folder, 'dataset'))
    await mkdir(join(world.folder, 'output'))
    for (const key of keys) await world.addImage(key)
    return world
  }

  /** The content is no image: nothing here decodes it. */
  async addImage(key: string, content = key): Promise<void> {
    const file = join(this.folder, 'dataset', key)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }

  async removeImage(key: string): Promise<void> {
    await unlink(join(this.folder, 'dataset', key))
  }

  prepare(
    objectives: readonly string[] = ['yaw', '-yaw'],
    stores: { readonly dataset: Store; readonly output: Store } = this,
  ): Promise<ResultSet> {
    const bytes = Buffer.from('weights')
    const digest = createHash('sha256').update(bytes).digest('hex')
    return prepareResultSet({
      dataset: stores.dataset,
      output: stores.output,
      network: { file: 'tiny.pkl', bytes, digest, description: { heads: [] }, activations: relus },
      options: {
        objectives: [...objectives],
        scope: 'all',
        style: 'origin',
        gradients: 'none',
        logits: false,
        adapter: { name: 'images', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: false },
        maxPixels: 1_000_000,
      },
      headlightVersion: '0.0.0',
    })
  }

  /** The published rows. */
  async rows(set: ResultSet): Promise<TableRow[]> {
    const table = await this.output.get(layout.table(set.id))
    return table === undefined ? [] : collected(readTable(table.bytes))
  }

  async remove(): Promise<void> {
    // A worker that was told to stop may still be writing.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** What a worker would write for a sample; depends on its key and ETag alone. Keys with `broken` fail. */
export function recordOf(entry: ManifestEntry, objectives: readonly string[]): SampleRecord {
  const { key, fingerprint } = entry
  if (entry.refused !== undefined)
    return { key, fingerprint, status: 'failed', code: entry.refused, message: 'refused' }
  if (key.includes('vanished')) return { key, fingerprint, status: 'failed', code: 'vanished', message: 'gone' }
  if (key.includes('broken')) {
    return { key, fingerprint, status: 'failed', code: 'corrupt-image', message: `"${key}", line one\nline two` }
  }
  const seed = Number.parseInt(fingerprint.slice(0, 6), 16) / 0xffffff
  const angles = { yaw: seed * 90, pitch: -seed * 30, roll: seed }
  const label = { yaw: seed * 80, pitch: 0, roll: 0 }
  const record: OkRecord = {
    key,
    fingerprint,
    status: 'ok',
    angles,
    label,
    error: { yaw: angles.yaw - label.yaw, pitch: angles.pitch, roll: angles.roll },
    bins: { yaw: { topBin: 3, topProbability: 0.5, binsStd: 2, binsEntropy: 1 }, pitch: null, roll: null },
    imageWidth: 640,
    imageHeight: 480,
    crop: [0, 0.5, 640, 480],
    subject: null,
    sequence: 's1',
    frame: null,
    objectives: {},
  }
  for (const objective of objectives) {
    record.objectives[objective] = {
      map: layout.map(objective, key),
      gradient: null,
      gradientMean: seed,
      gradientStd: 1,
      gradientMaxAbs: 2,
    }
  }
  return record
}

/** The two small-map files of a shard, as a worker would write them; none where no sample is ok. */
async function putSmallMaps(
  output: Store,
  set: ResultSet,
  { run, part, offset }: Pick<ShardJob, 'run' | 'part' | 'offset'>,
  records: readonly SampleRecord[],
): Promise<void> {
  const ok = records.filter(({ status }) => status === 'ok')
  if (ok.length === 0) return
  const samples = samplesMark(records.map(({ status }) => status === 'ok'))
  const blocks = ok.map((record) => smallMapsOf(record, set.options.objectives))
  const magnitudes = blocks.map((block) => block.magnitudes)
  await output.put(layout.magnitudeFile(set.id, run, part, offset, samples), Buffer.concat(magnitudes))
  const inputs = blocks.map((block) => block.input)
  await output.put(layout.inputFile(set.id, run, part, offset, samples), Buffer.concat(inputs))
}

/** Small maps of a sample: of its key and fingerprint alone, as an atlas of an increment is to equal a fresh one's. */
function smallMapsOf(
  { key, fingerprint }: SampleRecord,
  objectives: readonly string[],
): { magnitudes: Uint8Array; input: Uint8Array } {
  const seed = createHash('sha256').update(`${key} ${fingerprint}`).digest()
  const byte = (i: number): number => seed[i % seed.length] ?? 0
  const magnitudes = Buffer.alloc(objectives.length * magnitudeBytes)
  // Around 2^-10 as a half, as maps of unit sum are.
  for (let i = 0; i < magnitudes.length; i += 2) magnitudes.writeUInt16LE(0x1400 + ((i * (7 + byte(i >> 1))) % 512), i)
  return { magnitudes, input: Uint8Array.from({ length: magnitudeBytes / 2 }, (_, i) => byte(i) ^ (i & 255)) }
}

/** Computes one shard as a worker would: small maps first, then the record file that commits it. */
export async function computeShard(
  output: Store,
  set: ResultSet,
  job: Pick<ShardJob, 'run' | 'part' | 'offset' | 'count'>,
): Promise<{ computed: number; failed: number }> {
  const entries: ManifestEntry[] = []
  for await (const { header, entries: all } of new Manifest(output, set.id, job.run).parts()) {
    if (header.part === job.part) entries.push(...all().slice(job.offset, job.offset + job.count))
  }
  const records = entries.map((entry) => recordOf(entry, set.options.objectives))
  await putSmallMaps(output, set, job, records)
  const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('')
  await output.put(layout.recordFile(set.id, job.run, job.part, job.offset), lines)
  const failed = records.filter(({ status }) => status === 'failed').length
  return { computed: records.length, failed }
}

/** A standing producer over the world's folders, until the signal. */
export function serveRunsOf(
  world: World,
  connection: QueueConnection,
  signal: AbortSignal,
  changes: Partial<ServeRunsOptions> = {},
): Promise<void> {
  return serveRunsQueue({
    connection,
    queueName: shardsQueue,
    openOutput: () => new FilesystemStore(join(world.folder, 'output')),
    openDataset: () => new FilesystemStore(join(world.folder, 'dataset')),
    readNetwork: ({ uri, described }) => readNetworkFile(uri, { cacheFolder: join(world.folder, 'cache') }, described),
    headlightVersion: '0.0.0',
    signal,
    onProgress: () => undefined,
    log: silent,
    lookMs: 100,
    ...changes,
  })
}

export interface FakeWorker {
  /** Names of the shards that were pulled, in order. */
  readonly pulled: string[]
  stop(): Promise<void>
}

/** Pulls the shards of a queue and computes them, as those of sets with the options of `set`. `before` may throw, or wait. */
export function startFakeWorker(options: {
  connection: QueueConnection
  queueName: string
  output: Store
  set: ResultSet
  before?: (job: ShardJob) => Promise<void> | void
}): FakeWorker {
  const { connection, queueName, output, set, before } = options
  const pulled: string[] = []
  const worker: Worker<ShardJob, ShardResult> = openWorker(
    connection,
    queueName,
    async (bullJob) => {
      const job = shardJobSchema.parse(bullJob.data)
      pulled.push(shardName(job.part, job.offset))
      await before?.(job)
      const common = { engine: 'fake:cpu', host: 'here', unit: '0', wallMs: 1, engineMs: 1 }
      if ((await output.head(layout.recordFile(job.set, job.run, job.part, job.offset))) !== undefined) {
        return { outcome: 'skipped', computed: 0, failed: 0, ...common }
      }
      return { outcome: 'computed', ...(await computeShard(output, { ...set, id: job.set }, job)), ...common }
    },
    {},
    silent,
  )
  return { pulled, stop: () => worker.close(true) }
}

/** An object that is written into memory. */
export function keptObject(): ObjectWriter & { readonly pieces: readonly Buffer[]; readonly bytes: () => Buffer } {
  const pieces: Buffer[] = []
  return {
    pieces,
    bytes: () => Buffer.concat(pieces),
    append: async (bytes) => void pieces.push(Buffer.from(bytes)),
    commit: async () => 'etag',
    discard: async () => undefined,
  }
}

/** Fails at the n-th `put` or `commit` (counted from 1), and at every one after it, as a process that died would not write either. */
export function dyingAt(store: Store, n: number): Store {
  let puts = 0
  return watched(store, {
    before: () => {
      puts++
      if (puts >= n) throw new Error(`died at put ${n}`)
    },
  })
}

/** Calls `before` and `after` with the key of each object that is put or committed. */
export function watched(
  store: Store,
  { before = () => undefined, after }: { before?: (key: string) => void; after?: (key: string) => Promise<void> },
): Store {
  const watch = async <T>(key: string, write: () => Promise<T>): Promise<T> => {
    before(key)
    const result = await write()
    await after?.(key)
    return result
  }
  return wrapped(store, {
    put: (key, bytes, options) => watch(key, () => store.put(key, bytes, options)),
    write: (key, options) => {
      const writer = store.write(key, options)
      return {
        append: (bytes) => writer.append(bytes),
        commit: () => watch(key, () => writer.commit()),
        discard: () => writer.discard(),
      }
    },
  })
}

/** Serves a run over the world's folders in shards of two, impatiently. */
export function serveRunOf(
  world: World,
  set: ResultSet,
  connection: QueueConnection,
  queueName: string,
  changes: Partial<ServeRunOptions> = {},
): Promise<Summary> {
  return serveRun({
    output: world.output,
    set,
    openDataset: () => new FilesystemStore(join(world.folder, 'dataset')),
    full: false,
    shardSize: 2,
    connection,
    queueName,
    headlightVersion: '0.0.0',
    signal: new AbortController().signal,
    onProgress: () => undefined,
    log: silent,
    times: { follow: { pollMs: 20, retrying: { firstMs: 30, longestMs: 100 } } },
    ...changes,
  })
}

/** The hold on a result set, as another producer would have it. */
export function holdOf(world: World, set: ResultSet): Promise<Hold> {
  const { signal } = new AbortController()
  const onWait = () => undefined
  return Hold.take({ output: world.output, set: set.id, signal, patience: noPatience, onWait, log: silent })
}
