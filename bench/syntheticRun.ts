import { gzipSync } from 'node:zlib'
import { layout } from '../src/output/layout.ts'
import { magnitudeBytes } from '../src/output/magnitudeFile.ts'
import {
  automaticShardSize,
  fingerprint,
  partEntries,
  type ManifestEntry,
  type ManifestHeader,
} from '../src/output/manifest.ts'
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

export function syntheticRun(run: 'first' | 'second'): Run {
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
 * The output of a first run that has computed all images, and of a second one that has found nothing changed: manifest and
 * records are made up. Tables are written to a folder and read from there.
 */
export function syntheticOutput(samples: number, folder: string): Store {
  const tables = openStore(folder)
  const isTable = (key: string) => key.endsWith('.parquet')
  const made = (key: string): { info: ObjectInfo; bytes: Uint8Array } | undefined => {
    const bytes = madeUp(samples, key)
    return bytes && { info: { key, etag: 'etag', sizeBytes: bytes.byteLength }, bytes }
  }
  return {
    ...nothing,
    head: async (key) => (isTable(key) ? tables.head(key) : made(key)?.info),
    get: async (key, options) => (isTable(key) ? tables.get(key, options) : made(key)),
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

/** Manifest parts, record files and magnitude maps of the first run; one empty part of the second. */
function madeUp(samples: number, key: string): Uint8Array | undefined {
  const manifest = /runs\/(\w+)\/manifest\/(\d+)\.jsonl\.gz$/.exec(key)
  if (manifest !== null) return manifestPart(samples, manifest[1] === 'first', Number(manifest[2]))
  const shard = /records\/(\d+)-(\d+)\.(jsonl|mag)$/.exec(key)
  if (shard === null) return undefined
  const [part, offset] = [Number(shard[1]), Number(shard[2])]
  const partCount = Math.min(partEntries, samples - part * partEntries)
  const count = Math.min(automaticShardSize(partCount), partCount - offset)
  const first = part * partEntries + offset
  if (shard[3] === 'mag') return magnitudes(count)
  const lines = Array.from({ length: count }, (_, i) => `${JSON.stringify(recordAt(first + i))}\n`)
  return Buffer.from(lines.join(''))
}

function manifestPart(samples: number, isFirst: boolean, part: number): Uint8Array | undefined {
  const start = isFirst ? part * partEntries : 0
  if (start >= samples || (!isFirst && part > 0)) return undefined
  const count = isFirst ? Math.min(partEntries, samples - start) : 0
  const header: ManifestHeader = {
    schema: 1,
    part,
    through: keyAt(isFirst ? start + count - 1 : samples - 1),
    count,
    shardSize: automaticShardSize(count),
    unchanged: isFirst ? 0 : samples,
    gone: [],
  }
  const lines = [header, ...Array.from({ length: count }, (_, i) => entryAt(start + i))]
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
