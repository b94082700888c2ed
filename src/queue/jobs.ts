import { z } from 'zod'
import { runPrioritySchema } from '../base/runPriority.ts'
import { shardName } from '../output/layout.ts'

/**
 * Major version of the job schemas. It is part of the queue names, so that workers of two versions side by side never
 * take each other's jobs.
 */
const jobSchemaVersion = 1

/** Jobs here are runs; the producer that serves them lists, waits and finalises. */
export const runsQueue = `headlight-runs-v${jobSchemaVersion}`
/** Jobs here are shards, pulled by workers. */
export const shardsQueue = `headlight-shards-v${jobSchemaVersion}`

/** All keys of headlight in Redis start so. The braces make it one hash slot, which Redis Cluster needs. */
export const queuePrefix = '{headlight}'

/**
 * Names a folder of the output and becomes part of keys. `../` in it would reach beside the output, which may be another
 * place than the one that this process may touch.
 */
const folderNameSchema = z.string().regex(/^(?!\.{0,2}$)[^/\\\0]+$/)

/**
 * What supervisors note in the job of a shard on which units died. Only deaths that a supervisor saw are counted: being
 * killed together with one's supervisor is no fault of an image.
 */
export const suspicionSchema = z.strictObject({
  /** Deaths while the shard was computed in the ordinary way. */
  deaths: z.int().nonnegative(),
  /** The sample being computed alone, noted before it is touched. */
  current: z.string().nullable(),
  /** Deaths by key while that sample was computed alone; two convict it. */
  alone: z.record(z.string(), z.int().positive()),
  /** How many of those were units that fell silent and were killed: slowness, maybe, not the image. */
  silent: z.record(z.string(), z.int().positive()).optional(),
})
export type Suspicion = z.infer<typeof suspicionSchema>

/**
 * A claim check: where to find the slice of the manifest, never the keys themselves. The dataset's URI and endpoint
 * stand in `set.json`. Stays under 300 bytes of JSON for any sane URI.
 */
export const shardJobSchema = z.strictObject({
  run: folderNameSchema,
  /** Canonical URI of the output store (not of the result set). */
  output: z.string(),
  endpoint: z.string().optional(),
  set: folderNameSchema,
  part: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  count: z.int().positive(),
  /** Absent until a unit dies on the shard. */
  suspicion: suspicionSchema.optional(),
})
export type ShardJob = z.infer<typeof shardJobSchema>

/** The same shard always has the same id, so that adding it again adds nothing. */
export function shardJobId(job: Pick<ShardJob, 'run' | 'part' | 'offset'>): string {
  return `${job.run}-${shardName(job.part, job.offset)}`
}

/** How the log lines of worker and producer name the run that they are about. */
export const runInLog = ({
  set,
  run,
}: Pick<RunJob, 'set' | 'run'>): { resultSet: string; run: string | undefined } => ({
  resultSet: set,
  run,
})

/** What a worker returns for a shard: facts about the work, none of which may stand in a record. */
export const shardResultSchema = z.strictObject({
  /** `skipped`: the record file was there already. `cancelled`: the run's flags said so; nothing was written. */
  outcome: z.enum(['computed', 'skipped', 'cancelled']),
  computed: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  engine: z.string(),
  /** Why the worker took this engine, where it says so. */
  engineReason: z.string().optional(),
  host: z.string(),
  unit: z.string(),
  wallMs: z.number(),
  engineMs: z.number(),
})
export type ShardResult = z.infer<typeof shardResultSchema>

/** BullMQ job progress while a shard is computed, about once a second. */
export const shardProgressSchema = z.strictObject({ computed: z.int(), failed: z.int() })

/**
 * Retry policy of shard jobs. `attempts` counts failures that the worker reports; being killed is no fault of the
 * shard, so BullMQ's own limit on stalled jobs is lifted (its default of 1 fails a shard for good after two kills).
 */
export const shardJobOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: true,
} as const

/** One run of a result set that is prepared: `set.json` and the network lie in the output. */
export const runJobSchema = z.strictObject({
  /** Canonical URI of the output store (not of the result set). */
  output: z.string(),
  endpoint: z.string().optional(),
  set: folderNameSchema,
  full: z.boolean(),
  prune: z.boolean().default(false),
  /** How many runs that changed anything are kept whole; absent: all. */
  keepRuns: z.int().positive().optional(),
  /** Absent: a report is drawn. */
  report: z.literal(false).optional(),
  /** Null: chosen by the size of the dataset. */
  shardSize: z.int().positive().nullable(),
  /** The run that was opened for it; absent when it has none yet. Once that is cancelled, so is the job. */
  run: folderNameSchema.optional(),
  /** The schedule that asks for it. */
  schedule: z.string().optional(),
  /** Absent: an ordinary run. */
  priority: runPrioritySchema.optional(),
  /** Told how the run ended. */
  webhook: z.url().optional(),
  /** Where the network is read anew before the run: other bytes are another result set. Absent: the one of `set`. */
  followNetwork: z
    .strictObject({
      uri: z.string(),
      endpoint: z.string().optional(),
      /**
       * What `--description` said when the schedule was added: its name, and its content, which is parsed where the
       * network is read. Not the name alone: a file may be out of a producer's reach, and a gallery of another version.
       */
      described: z.strictObject({ name: z.string(), override: z.record(z.string(), z.unknown()) }).optional(),
    })
    .optional(),
})
export type RunJob = z.infer<typeof runJobSchema>

/**
 * Name of a job of the runs queue that stands in for one that Redis has lost while it was served (producer/queueMemory.ts).
 * It waits while its run is held, also where a schedule's time would be skipped.
 */
export const standInName = 'stand-in'

/** Faults of a place pass, often by morning; the input's faults are not tried again (see producer/serveQueue.ts). */
export const runJobOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 10_000, jitter: 0.5 },
  removeOnComplete: { count: 1_000 },
  removeOnFail: { count: 1_000 },
} as const

/** For every BullMQ Worker of headlight. */
export const workerOptions = {
  maxStalledCount: Number.MAX_SAFE_INTEGER,
  lockDuration: 30_000,
  stalledInterval: 15_000,
} as const
