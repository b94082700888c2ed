import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { InputError } from '../base/errors.ts'
import type { Store } from '../storage/store.ts'
import { getJson, printJson, putOnce } from './jsonObject.ts'
import { layout } from './layout.ts'

/**
 * A run's states: `open` (listing, computing, or lost: the store cannot tell a lost run from one at work, only the hold
 * can) → `completed`, or `cancelled` by request. Closed states are final.
 */
const runStateSchema = z.enum(['open', 'completed', 'cancelled'])

const counts = z.strictObject({
  /** What the dataset holds now: computed + unchanged. */
  total: z.int().nonnegative(),
  /** Records written by this run, failed ones included. */
  computed: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  /** Failed records among `total`. */
  failed: z.int().nonnegative(),
  /** Samples of the former state that the dataset no longer holds. */
  gone: z.int().nonnegative(),
  /** Of a cancelled run: samples that its listing found new or changed and that it did not come to. */
  left: z.int().nonnegative().optional(),
})

/** A run over failed samples alone, of one code or (null) of any; all others keep their records, seen or unseen. */
const retrySchema = z.strictObject({ code: z.string().nullable() })
export type Retry = z.infer<typeof retrySchema>

/** `runs/<run id>/run.json`. Written when the run opens and once more when it closes. */
export const runSchema = z.strictObject({
  schema: z.literal(1),
  run: z.string(),
  state: runStateSchema,
  /** The run whose table was the state when this one started; null for the first. */
  base: z.string().nullable(),
  full: z.boolean(),
  /** Absent: the run is about the whole dataset. */
  retry: retrySchema.optional(),
  /** Maps and gradients of gone samples are removed when the run is finalised. */
  prune: z.boolean().optional(),
  /** It was opened for a standing producer, by whoever added it to the queue. */
  queued: z.boolean().optional(),
  startedAt: z.iso.datetime(),
  /** When all was done, table and report included. */
  closedAt: z.iso.datetime().nullable(),
  counts: counts.nullable(),
})
export type Run = z.infer<typeof runSchema>

/** `current.json`: names the run whose `angles.parquet` is the state. One PUT of this file publishes a run. */
export const currentSchema = z.strictObject({ run: z.string(), publishedAt: z.iso.datetime() })

const angleSummary = z.strictObject({ yaw: z.number(), pitch: z.number(), roll: z.number(), mean: z.number() })

/** `summary.json`, also what `run --json` prints. */
export const summarySchema = z.object({
  run: z.string(),
  /** URI of the result set. */
  output: z.string(),
  state: runStateSchema,
  counts,
  /** Mean absolute error in degrees over samples with a label; null when there is none. */
  mae: angleSummary.nullable(),
  /** How the MAE came about: samples counted, excluded (|label| > 99°), median absolute error, mean geodesic error. */
  errors: z.strictObject({ n: z.int(), excluded: z.int(), median: angleSummary, geodesicMean: z.number() }).nullable(),
  /** Failed records of the state by code. */
  failures: z.record(z.string(), z.int()),
  /** Samples computed per second of the run's compute phase; null when nothing was computed. */
  imagesPerSecond: z.number().nullable(),
  /** Engines that took part, e.g. `onnxruntime:cpu`; several names when workers differed. */
  engine: z.array(z.string()),
  /** Why, by engine, where the workers said so. */
  engineReasons: z.record(z.string(), z.string()).optional(),
  /** Mean correlation between the maps of two objectives, by `a~b`; only when several objectives were computed. */
  mapCorrelations: z.record(z.string(), z.number()),
  startedAt: z.iso.datetime(),
  /** When all records had been read: table and report, which show it, are finished after that. */
  closedAt: z.iso.datetime(),
  headlightVersion: z.string(),
})
export type Summary = z.infer<typeof summarySchema>

/** Sortable by start time, unique across hosts: `20261124T170000Z-4f9a1c`. Fits BullMQ's ids (no `:`, no bare number). */
function newRunId(now: Date, randomHex6: string): string {
  return `${now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')}-${randomHex6}`
}

/** The newest run of a result set. Only the newest can be open, since a run opens when no other one is. */
export async function latestRun(output: Store, set: string): Promise<Run | undefined> {
  const runs: string[] = []
  for await (const run of output.folders(layout.runs(set))) runs.push(run)
  for (const run of runs.reverse()) {
    const present = await getJson(output, layout.run(set, run), runSchema)
    if (present !== undefined) return present.value
    // A process that died, or a disk that was full, between making the folder and writing run.json leaves no run.
    if (!(await holdsWork(output, set, run))) continue
    // run.json is the first thing that a run writes, so someone has removed it.
    const message = `${output.uri}${layout.run(set, run)} is gone; remove the rest of that run as well, then start again`
    throw new InputError('bad-layout', message)
  }
  return undefined
}

/** Whether a run's folder holds a manifest or records. */
async function holdsWork(output: Store, set: string, run: string): Promise<boolean> {
  for (const prefix of [layout.manifest(set, run), layout.records(set, run)]) {
    for await (const _object of output.list({ prefix })) return true
  }
  return false
}

/** The run whose table is the state now; null before the first. */
export async function currentRun(output: Store, set: string): Promise<string | null> {
  return (await getJson(output, layout.current(set), currentSchema))?.value.run ?? null
}

/** Opens a run that starts from the state of now. `latest`: the newest run so far, which the new one sorts after. */
export async function openRun(options: {
  output: Store
  set: string
  base: string | null
  full: boolean
  retry?: Retry | undefined
  prune?: boolean
  queued?: boolean
  latest: Run | undefined
  now: Date
}): Promise<Run> {
  const { output, set, base, full, retry, prune = false, queued = false, latest, now } = options
  // Run ids sort by their start. A host whose clock is behind must not open a run that sorts before the newest.
  const after = latest === undefined ? 0 : Date.parse(latest.startedAt) + 1_000
  const startedAt = new Date(Math.max(now.getTime(), after))
  const run: Run = {
    schema: 1,
    run: newRunId(startedAt, randomBytes(3).toString('hex')),
    state: 'open',
    base,
    full,
    ...(retry === undefined ? {} : { retry }),
    ...(prune ? { prune } : {}),
    ...(queued ? { queued } : {}),
    startedAt: startedAt.toISOString(),
    closedAt: null,
    counts: null,
  }
  await putOnce(output, layout.run(set, run.run), printJson(run))
  return run
}
