import { z } from 'zod'

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

/** `runs/<run id>/flags.json`: what people ask of a run; every supervisor reads it every 5 s while it works on the run. */
export const flagsSchema = z.strictObject({ paused: z.boolean(), cancelled: z.boolean() })
export type Flags = z.infer<typeof flagsSchema>

/** `lock.json`: the hold. One run at a time writes to a result set. */
export const holdSchema = z.strictObject({
  run: z.string().nullable(),
  host: z.string(),
  bootId: z.string(),
  pid: z.int(),
  /** Start time of the process in clock ticks since boot (Linux), so that a reused pid is not taken for the owner. */
  processStart: z.string(),
  heartbeatAt: z.iso.datetime(),
})
export type Hold = z.infer<typeof holdSchema>

/** Age of a heartbeat from which its owner counts as gone, and its hold may be taken over. */
export const staleHoldMs = 30_000

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
export function newRunId(now: Date, randomHex6: string): string {
  return `${now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')}-${randomHex6}`
}
