import { gzipSync } from 'node:zlib'
import { layout, shardName } from '../src/output/layout.ts'
import { magnitudeBytes } from '../src/output/magnitudeFile.ts'
import {
  automaticShardSize,
  fingerprint,
  partEntries,
  type ManifestEntry,
  type ManifestHeader,
} from '../src/output/manifest.ts'
import { mapPixels } from '../src/output/poseMaps.ts'
import type { OkRecord } from '../src/output/record.ts'
import type { ResultSet } from '../src/output/resultSet.ts'
import type { Run } from '../src/output/runs.ts'
import { openStore } from '../src/storage/open.ts'
import type { ObjectInfo, Store } from '../src/storage/store.ts'

export const syntheticSet: ResultSet = {
  schema: 1,
  id: 'set',
  resultVersion: 1,
  dataset: { uri: 's3://synthetic/', endpoint: null },
  network: { file: 'tiny.pkl', digest: '0'.repeat(64), description: {} },
  options: {
    objectives: ['yaw', 'pitch', 'roll'],
    scope: 'all',
    style: 'origin',
    gradients: 'none',
    logits: false,
    adapter: { name: 'images', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation: false },
    maxPixels: 1_000_000,
  },
  headlightVersion: '0.0.0',
  createdAt: '2026-01-01T00:00:00.000Z',
}

export type SyntheticRun = 'first' | 'second' | 'third'

export function syntheticRun(run: SyntheticRun): Run {
  const base = run === 'first' ? null : 'first'
  const startedAt = '2026-01-01T00:00:00.000Z'
  return { schema: 1, run, state: 'open', base, full: false, startedAt, closedAt: null, counts: null }
}

/** So many images, listed as S3 would; swallows what is written. */
export function syntheticDataset(samples: number): Store {
  return {
    ...nothing,
    async *list() {
      for (let i = 0; i < samples; i++) yield { key: keyAt(i), etag: etagAt(i), sizeBytes: 50_000 }
    },
  }
}

/**
 * The output of a first run that has computed all images, and of two that start from it: the second has found nothing
 * changed, the third each hundredth image. Manifest, records and small maps are made up. What lies beside a run's table,
 * and the table, are written to a folder and read from there.
 */
export function syntheticOutput(samples: number, folder: string, { isEarlier = false } = {}): Store {
  const tables = openStore(folder)
  const kept = isEarlier
    ? /\/runs\/\w+\/angles\.parquet$/
    : /\/runs\/\w+\/(angles\.parquet|[\w-]+\.bin|aggregates\.json)$/
  const isTable = (key: string) => kept.test(key)
  const made = (key: string): { info: ObjectInfo; bytes: Uint8Array } | undefined => {
    const bytes = madeUp(samples, key)
    return bytes && { info: { key, etag: 'etag', sizeBytes: bytes.byteLength }, bytes }
  }
  return {
    ...nothing,
    head: async (key) => (isTable(key) ? tables.head(key) : made(key)?.info),
    get: async (key, options) => (isTable(key) ? tables.get(key, options) : made(key)),
    folders: async function* () {
      yield 'first'
    },
    list: ({ prefix = '' } = {}) => listedRecords(samples, prefix),
    put: (key, bytes, options) => (isTable(key) ? tables.put(key, bytes, options) : nothing.put(key, bytes, options)),
    write: (key) => (isTable(key) ? tables.write(key) : nothing.write(key)),
  }
}

const unused = () => {
  throw new Error('a producer does not ask for this')
}
const nothing: Store = {
  uri: 's3://synthetic/',
  endpoint: undefined,
  async *list() {},
  folders: unused,
  head: async () => undefined,
  get: async () => undefined,
  put: async () => 'etag',
  write: () => ({ append: async () => undefined, commit: async () => 'etag', discard: async () => undefined }),
  delete: unused,
  removeLeftovers: async () => undefined,
  conditionalPut: async () => true,
  check: unused,
  close: () => undefined,
}

function keyAt(i: number): string {
  return `camera/session/${String(i).padStart(9, '0')}/frame.jpg`
}

function etagAt(i: number): string {
  return i.toString(16).padStart(32, '0')
}

function entryAt(i: number): ManifestEntry {
  const etag = etagAt(i)
  const print = fingerprint({ etag, companions: [] })
  return { key: keyAt(i), etag, sizeBytes: 50_000, fingerprint: print, companions: [] }
}

/** The files of the first run's shards, as S3 would list them. */
async function* listedRecords(samples: number, prefix: string): AsyncGenerator<ObjectInfo> {
  for (let part = 0; part * partEntries < samples; part++) {
    const count = Math.min(partEntries, samples - part * partEntries)
    for (let offset = 0; offset < count; offset += automaticShardSize(count)) {
      for (const file of ['input', 'jsonl', 'mag']) {
        const key = `${prefix}${shardName(part, offset)}.${file}`
        const made = file === 'jsonl' ? undefined : madeUp(samples, key)
        yield { key, etag: 'etag', sizeBytes: made?.byteLength ?? 0 }
      }
    }
  }
}

/** Each how many-th image a run computes; 0: none. */
const strides: Record<string, number> = { first: 1, second: 0, third: 100 }

/** Manifest parts, record files and small maps of the first and third run; one empty part of the second. */
function madeUp(samples: number, key: string): Uint8Array | undefined {
  const run = /runs\/(\w+)\/run\.json$/.exec(key)
  if (run !== null) return Buffer.from(JSON.stringify({ ...syntheticRun('first'), state: 'completed' }))
  const manifest = /runs\/(\w+)\/manifest\/(\d+)\.jsonl\.gz$/.exec(key)
  if (manifest !== null) return manifestPart(samples, strides[manifest[1] ?? ''] ?? 0, Number(manifest[2]))
  const shard = /runs\/(\w+)\/records\/(\d+)-(\d+)\.(jsonl|mag|input)$/.exec(key)
  if (shard === null) return undefined
  const stride = strides[shard[1] ?? ''] ?? 0
  const [part, offset] = [Number(shard[2]), Number(shard[3])]
  const partCount = Math.min(partEntries, Math.ceil(samples / stride) - part * partEntries)
  const count = Math.min(automaticShardSize(partCount), partCount - offset)
  const first = part * partEntries + offset
  if (shard[4] === 'mag') return magnitudes(count)
  if (shard[4] === 'input') return Buffer.alloc(count * mapPixels, 'some grey levels')
  const lines = Array.from({ length: count }, (_, i) => `${JSON.stringify(recordAt((first + i) * stride))}\n`)
  return Buffer.from(lines.join(''))
}

function manifestPart(samples: number, stride: number, part: number): Uint8Array | undefined {
  const start = part * partEntries
  const total = stride === 0 ? 0 : Math.ceil(samples / stride)
  if (part > 0 && start >= total) return undefined
  const count = Math.min(partEntries, total - start)
  const header: ManifestHeader = {
    schema: 1,
    part,
    through: keyAt(start + count >= total ? samples - 1 : (start + count - 1) * stride),
    count,
    shardSize: automaticShardSize(count),
    unchanged: part === 0 ? samples - total : 0,
    gone: [],
  }
  const lines = [header, ...Array.from({ length: count }, (_, i) => entryAt((start + i) * stride))]
  return gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { level: 1 })
}

function recordAt(i: number): OkRecord {
  const { key, fingerprint: print } = entryAt(i)
  const noise = (k: number) => Math.fround(Math.sin(i * 12.9898 + k * 78.233) * 60)
  const angles = { yaw: noise(1), pitch: noise(2), roll: noise(3) }
  const label = { yaw: noise(14), pitch: noise(15), roll: noise(16) }
  const error = { yaw: angles.yaw - label.yaw, pitch: angles.pitch - label.pitch, roll: angles.roll - label.roll }
  const bins = (k: number) => ({
    topBin: i % 61,
    topProbability: Math.abs(noise(k)) / 60,
    binsStd: Math.abs(noise(k + 1)),
    binsEntropy: Math.abs(noise(k + 2)) / 20,
  })
  const left = (objective: string, k: number) => ({
    map: layout.map(objective, key),
    gradient: null,
    gradientMean: noise(4 + k),
    gradientStd: noise(7 + k),
    gradientMaxAbs: noise(10 + k),
  })
  return {
    key,
    fingerprint: print,
    status: 'ok',
    angles,
    label,
    error,
    bins: { yaw: bins(20), pitch: bins(30), roll: bins(40) },
    imageWidth: 640,
    imageHeight: 480,
    crop: [80, 0, 560, 480],
    subject: null,
    sequence: null,
    frame: null,
    objectives: Object.fromEntries(
      syntheticSet.options.objectives.map((objective, k) => [objective, left(objective, k)]),
    ),
  }
}

/** One map for all samples and objectives, not a constant one, which has no correlation with any. */
const magnitudeMap = Buffer.from(
  Array.from({ length: magnitudeBytes }, (_, j) => (j % 2 === 0 ? j % 251 : 0x14 + (j % 5))),
)

function magnitudes(count: number): Uint8Array {
  return Buffer.alloc(count * syntheticSet.options.objectives.length * magnitudeBytes, magnitudeMap)
}
