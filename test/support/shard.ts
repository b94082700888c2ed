import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { fingerprint, type ManifestEntry } from '../../src/output/manifest.ts'
import type { Record as SampleRecord } from '../../src/output/record.ts'
import { readRecordFile } from '../../src/output/recordFile.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import type { ShardJob } from '../../src/queue/jobs.ts'
import type { Explanation, NotFinite } from '../../src/saliency/explainer.ts'
import { channelsOf, type Description, type InputDescription } from '../../src/saliency/networks/description.ts'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { Measurements } from '../../src/worker/measurements.ts'
import { EngineTurns } from '../../src/worker/unit/engineTurns.ts'
import type { ShardEngine, ShardWork } from '../../src/worker/unit/pipeline.ts'
import { DecodeLimits } from '../../src/worker/unit/source.ts'

/** Side of the fake network's input. */
const side = 8

export const description: Description = {
  input: {
    width: side,
    height: side,
    resize: 'stretch',
    channels: 'rgb',
    range: 1,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  heads: [
    { kind: 'binned', output: 'fc_yaw', angle: 'yaw', bins: 3, step: 3, offset: -3, sign: 1 },
    { kind: 'value', output: 'fc_pitch', angle: 'pitch', unit: 'degrees', sign: 1 },
  ],
}

/** Explains a picture by its mean colour alone, so that every result can be told from the file it came from. */
export class FakeEngine implements ShardEngine {
  readonly engine = 'fake'
  readonly batch: number
  readonly batches: number[] = []
  readonly #objectives: readonly string[]
  readonly #channels: 1 | 3
  /** Called before each batch is answered. */
  before: (means: readonly number[]) => Promise<void> = async () => {}
  corrupt: (explanation: Explanation, index: number) => Explanation | NotFinite = (explanation) => explanation

  constructor(batch: number, objectives: readonly string[], channels: 1 | 3) {
    this.batch = batch
    this.#channels = channels
    this.#objectives = objectives
  }

  async explain(images: readonly Uint8Array[]) {
    this.batches.push(images.length)
    const means = images.map((image) => image.reduce((sum, value) => sum + value, 0) / image.length)
    await this.before(means)
    return { explanations: means.map((mean, index) => this.corrupt(this.#explanation(mean), index)), engineMs: 1 }
  }

  #explanation(mean: number): Explanation {
    const objective = (index: number) => ({
      map: new Uint8Array(side * side * 3).fill(mean + index),
      gradient: new Float32Array(this.#channels * side * side).fill((mean + index) / 7),
      mean: mean / 3,
      std: 0.1,
      maxAbs: (mean + index) / 7,
      magnitude: new Float32Array(28 * 28).fill(1 / 784),
    })
    return {
      angles: { yaw: mean / 3, pitch: -mean, roll: null },
      outputs: { yaw: Float32Array.of(0, 1, 0), pitch: Float32Array.of(-mean) },
      objectives: Object.fromEntries(this.#objectives.map((name, index) => [name, objective(index)])),
    }
  }
}

export interface Shard {
  readonly dataset: Store
  readonly output: Store
  readonly outputFolder: string
  readonly engine: FakeEngine
  readonly work: ShardWork
  readonly job: ShardJob
  /** Puts an image of one grey level and lists it in the shard; its key is returned. */
  image(key: string, level: number): Promise<string>
  /** Puts any bytes and lists them. */
  object(key: string, bytes: Uint8Array | string): Promise<string>
  list(entry: ManifestEntry): void
  records(): Promise<SampleRecord[]>
}

/** A dataset and an output in throw-away folders, and the work on one shard of them. */
export async function newShard(
  options: { batch?: number; set?: Partial<ResultSet['options']>; input?: Partial<InputDescription> } = {},
): Promise<Shard> {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-shard-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const dataset = openStore(join(folder, 'images'))
  const outputFolder = join(folder, 'out')
  const output = openStore(outputFolder)
  await dataset.check('write')
  await output.check('write')
  const set = resultSet(dataset.uri, options.set)
  const job: ShardJob = { run: 'run-1', output: output.uri, set: set.id, part: 0, offset: 0, count: 1 }
  const entries: ManifestEntry[] = []
  const input = { ...description.input, ...options.input }
  const engine = new FakeEngine(options.batch ?? 2, set.options.objectives, channelsOf(input.channels))
  const object = async (key: string, bytes: Uint8Array | string) => {
    await dataset.put(key, bytes)
    const info = await dataset.head(key)
    if (!info) throw new Error(`${key} was not put`)
    entries.push({ ...info, fingerprint: fingerprint({ etag: info.etag, companions: [] }), companions: [] })
    return key
  }
  return {
    dataset,
    output,
    outputFolder,
    engine,
    job,
    work: {
      job,
      set,
      description: { ...description, input },
      dataset,
      output,
      adapter: openAdapter(set.options.adapter),
      engine: async () => engine,
      entries: async () => entries,
      fetchConcurrency: 4,
      decodeLimits: new DecodeLimits(),
      turn: new EngineTurns().take(),
      retries: { attempts: 3, firstMs: 1, longestMs: 2 },
      lastAttempt: false,
      alone: null,
      signal: new AbortController().signal,
      onTurn: () => {},
      measurements: new Measurements(),
      onStep: () => {},
      onPending: () => {},
    },
    object,
    image: async (key, level) => object(key, await picture(level)),
    list: (entry) => entries.push(entry),
    records: async () => [...((await readRecordFile(output, job.set, job.run, job))?.records() ?? [])],
  }
}

export async function picture(level: number, width = 10, height = 6): Promise<Uint8Array> {
  const background = { r: level, g: level, b: level }
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer()
}

export function resultSet(dataset: string, options: Partial<ResultSet['options']> = {}): ResultSet {
  return {
    schema: 1,
    id: 'tiny-all-00000000',
    resultVersion: 1,
    dataset: { uri: dataset, endpoint: null },
    network: { file: 'tiny.pkl', digest: '0'.repeat(64), description },
    options: {
      objectives: ['sum', '-yaw'],
      scope: 'all',
      style: 'origin',
      gradients: 'none',
      logits: false,
      adapter: { name: 'filename', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: false },
      maxPixels: 10_000,
      ...options,
    },
    headlightVersion: '0.0.0',
    createdAt: '2026-01-01T00:00:00Z',
  }
}

/** A Store with some methods replaced. */
export function withFaults(store: Store, replaced: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name: keyof Store) {
      const member: unknown = replaced[name] ?? target[name]
      // Bound to the target: a driver's private fields are not to be found on the proxy.
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}

export const testImages = fileURLToPath(new URL('../images/', import.meta.url))
export const tinyCheckpoint = fileURLToPath(new URL('../checkpoints/tiny_hp.pkl', import.meta.url))

/** All objects below a prefix with their bytes in hex. */
export async function contents(store: Store, prefix = ''): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const { key } of store.list({ prefix })) {
    const object = await store.get(key)
    found.set(key, Buffer.from(object?.bytes ?? '').toString('hex'))
  }
  return found
}
