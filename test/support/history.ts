import { createHash } from 'node:crypto'
import type { Logger } from '../../src/base/telemetry.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { currentRun } from '../../src/output/current.ts'
import { layout } from '../../src/output/layout.ts'
import { Manifest, shardsOf, type ManifestEntry, type Shard } from '../../src/output/manifest.ts'
import type { OkRecord, Record as SampleRecord } from '../../src/output/record.ts'
import { recordLines } from '../../src/output/recordFile.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun, openRun, readRun, type Retry } from '../../src/output/runs.ts'
import { samplesMark } from '../../src/output/shardSamples.ts'
import { stateRows } from '../../src/output/stateRows.ts'
import type { Summary } from '../../src/output/summary.ts'
import { angleError } from '../../src/pose/euler.ts'
import { enumerate } from '../../src/producer/enumerate.ts'
import { finalize } from '../../src/producer/finalize.ts'
import type { Store } from '../../src/storage/store.ts'
import { memoryOutput } from './memoryOutput.ts'
import { seededRandom } from './operationExamples.ts'
import { dyingAt, noPatience } from './producerWorld.ts'
import { randomInput, randomMaps } from './randomMaps.ts'
import { silent } from './redis.ts'

/** Two objectives over images, unless a history says otherwise: small, and with a pair. */
export const historySet: ResultSet = {
  schema: 1,
  id: 'set',
  resultVersion: 1,
  dataset: { uri: 'memory://output/', endpoint: null },
  network: { file: 'tiny.pkl', digest: '0'.repeat(64), description: {} },
  options: {
    objectives: ['yaw', 'pitch'],
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

/** What a worker would find, depending on the image alone. */
interface Explained {
  readonly record: OkRecord
  readonly magnitudes: Uint16Array
  readonly input: Uint8Array
}

const explained = new Map<string, Explained>()

export function explain(
  { key, fingerprint }: Pick<ManifestEntry, 'key' | 'fingerprint'>,
  objectives: readonly string[],
): Explained {
  const name = `${key} ${fingerprint} ${objectives.length}`
  const known = explained.get(name)
  if (known !== undefined) return known
  const random = seededRandom(createHash('sha256').update(`${key} ${fingerprint}`).digest().readUInt32LE())
  const pose = (range: number) => ({ yaw: random() * range, pitch: random() * 40, roll: random() * 20 })
  // Some have no label, some no pose at all, as with a classifier.
  const kind = Math.floor((random() + 1) * 5)
  const label = kind < 2 ? null : pose(110)
  const estimate = pose(90)
  const angles = kind === 0 ? { yaw: null, pitch: null, roll: estimate.roll } : estimate
  const error = label && {
    yaw: angles.yaw === null ? null : angleError(angles.yaw, label.yaw),
    pitch: angles.pitch === null ? null : angleError(angles.pitch, label.pitch),
    roll: angleError(angles.roll, label.roll),
  }
  const left = (objective: string) => ({
    map: layout.map(objective, key),
    gradient: null,
    gradientMean: random(),
    gradientStd: 1,
    gradientMaxAbs: 2,
  })
  const record: OkRecord = {
    key,
    fingerprint,
    status: 'ok',
    angles,
    label,
    error,
    bins: {
      yaw: { topBin: 3, topProbability: (random() + 1) / 2, binsStd: 2, binsEntropy: 1 },
      pitch: null,
      roll: null,
    },
    imageWidth: 640,
    imageHeight: 480,
    crop: [0, 0, 640, 480],
    subject: kind === 3 ? null : `subject ${kind}`,
    sequence: null,
    frame: null,
    objectives: Object.fromEntries(objectives.map((objective) => [objective, left(objective)])),
  }
  const found = { record, magnitudes: randomMaps(random, objectives.length), input: randomInput(random) }
  explained.set(name, found)
  return found
}

/** Null: the sample does not fail. */
export type FailureCode = (entry: ManifestEntry) => string | null

export interface RunChoices {
  readonly full?: boolean
  readonly retry?: Retry
  readonly keepRuns?: number | undefined
  /** Which shards are left out; the run is cancelled then. */
  readonly isLeft?: (shard: Shard) => boolean
  readonly failure: FailureCode
  /** Workers of earlier versions kept no inputs, and called the files of small maps the same whatever was in them. */
  readonly isEarlier?: boolean
  /** Of another worker, which met other faults in the shards and whose records came too late. */
  readonly otherFailure?: FailureCode
  /** Finalising dies at its n-th put, where it comes to that, and is repeated. */
  readonly diesAt?: number
}

/** Result sets over a dataset in memory, with the real producer's listing and closing of runs. */
export class History {
  readonly output = memoryOutput()
  readonly dataset = memoryOutput()
  /** Called with each sentence that says what takes long. */
  say: (message: string | undefined) => void = () => undefined
  /** All warnings in the log. */
  readonly warnings: string[] = []
  readonly set: ResultSet
  #runs = 0

  constructor(objectives = historySet.options.objectives) {
    this.set = { ...historySet, options: { ...historySet.options, objectives } }
  }

  /** One run, from its listing to its publishing. */
  async run(choices: RunChoices): Promise<Summary> {
    const { full = false, retry, keepRuns, isLeft = () => false } = choices
    const { output, dataset, set } = this
    const base = await currentRun(output, set.id)
    const now = new Date(Date.UTC(2026, 0, 1) + 60_000 * this.#runs++)
    const latest = await latestRun(output, set.id)
    const run = await openRun({ output, set: set.id, base, full, retry, keepRuns, latest, now })
    const manifest = new Manifest(output, set.id, run.run)
    const left: Shard[] = []
    await enumerate({
      dataset,
      adapter: openAdapter(set.options.adapter),
      manifest,
      state: stateRows(output, set.id, base, ['key', 'fingerprint', 'status', 'code']),
      full,
      retry,
      shardSize: 3,
      partEntries: 10,
      signal: noPatience.signal,
      onPart: async () => undefined,
      onListed: () => undefined,
    })
    for await (const { header, entries } of manifest.parts()) {
      const samples = entries()
      for (const shard of shardsOf(header)) {
        if (isLeft(shard)) left.push(shard)
        else await compute(this, run.run, shard, samples.slice(shard.offset, shard.offset + shard.count), choices)
      }
    }
    const state = left.length > 0 ? 'cancelled' : 'completed'
    if (choices.diesAt !== undefined) {
      const summary = await this.#finalize(run.run, state, dyingAt(output, choices.diesAt)).catch(() => undefined)
      if (summary !== undefined) return summary
      if ((await readRun(output, set.id, run.run))?.state !== 'open') throw new Error('it died when it was closed')
    }
    return this.#finalize(run.run, state, output)
  }

  get #log(): Logger {
    const log = silent.child({})
    log.warn = (...words: unknown[]) => void this.warnings.push(String(words.at(-1)))
    return log
  }

  async #finalize(name: string, state: 'completed' | 'cancelled', output: Store): Promise<Summary> {
    const run = await readRun(output, this.set.id, name)
    if (run === undefined) throw new Error(`${name} is gone`)
    return finalize({
      output,
      openDataset: () => this.dataset,
      set: this.set,
      run,
      state,
      prune: false,
      keepRuns: run.keepRuns,
      work: { engines: [], imagesPerSecond: null },
      headlightVersion: '0.0.0',
      patience: noPatience,
      confirmHold: () => Promise.resolve(),
      say: (message) => this.say(message),
      log: this.#log,
    })
  }

  /** The run whose table is the state. */
  async stateRun(): Promise<string> {
    return (await currentRun(this.output, historySet.id)) ?? ''
  }

  /** The bytes of a file of the state run; undefined when it has none. */
  async stateFile(key: (set: string, run: string) => string): Promise<Buffer | undefined> {
    const bytes = this.output.objects.get(key(historySet.id, await this.stateRun()))
    return bytes && Buffer.from(bytes)
  }

  /** Removes what earlier versions did not write beside a table. */
  async forget(): Promise<void> {
    for (const key of this.output.objects.keys()) {
      if (/\/(map-places\.bin|atlas\.bin|atlas-inputs\.bin|aggregates\.json)$/.test(key)) await this.output.delete(key)
    }
  }
}

async function compute(
  { output, set: { id: set, options } }: History,
  run: string,
  { part, offset }: Shard,
  entries: readonly ManifestEntry[],
  { failure, otherFailure, isEarlier = false }: RunChoices,
): Promise<void> {
  for (const fails of otherFailure === undefined ? [failure] : [otherFailure, failure]) {
    const failures = entries.map(fails)
    const ok = entries.filter((_, i) => failures[i] === null).map((entry) => explain(entry, options.objectives))
    if (ok.length > 0) {
      const samples = isEarlier ? '' : samplesMark(failures.map((code) => code === null))
      const magnitudes = ok.map((found) => Buffer.from(found.magnitudes.buffer))
      await output.put(layout.magnitudeFile(set, run, part, offset, samples), Buffer.concat(magnitudes))
      const inputs = Buffer.concat(ok.map(({ input }) => input))
      if (!isEarlier) await output.put(layout.inputFile(set, run, part, offset, samples), inputs)
    }
    if (fails !== failure) continue
    const records = entries.map((entry, i): SampleRecord => {
      const code = failures[i]
      const { key, fingerprint } = entry
      return code === null || code === undefined
        ? explain(entry, options.objectives).record
        : { key, fingerprint, status: 'failed', code, message: `${key}: ${code}` }
    })
    await output.put(layout.recordFile(set, run, part, offset), recordLines(records))
  }
}
