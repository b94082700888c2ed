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
export const runStateSchema = z.enum(['open', 'completed', 'cancelled'])

/** Samples of a run and of the state that it leaves. */
export const runCountsSchema = z.strictObject({
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
const runSchema = z.strictObject({
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
  /** Once the run is closed, only so many of those that changed anything are kept whole. Absent: all. */
  keepRuns: z.int().positive().optional(),
  /** No report is drawn of it; one of an earlier run is withdrawn where this one changed anything. Absent: one is drawn. */
  report: z.literal(false).optional(),
  /** It was opened for a standing producer, by whoever added it to the queue. */
  queued: z.boolean().optional(),
  startedAt: z.iso.datetime(),
  /** When all was done, table and report included. */
  closedAt: z.iso.datetime().nullable(),
  counts: runCountsSchema.nullable(),
})
export type Run = z.infer<typeof runSchema>

/** Sortable by start time, unique across hosts: `20261124T170000Z-4f9a1c`. Fits BullMQ's ids (no `:`, no bare number). */
export function newRunId(now: Date, randomHex6: string): string {
  return `${now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')}-${randomHex6}`
}

/** Said of a table, or what lies beside it, that vanishes while it is read. */
export const whereRunRemoved = '--keep-runs removes those of older runs, so start again with a newer one'

/** The ids of a result set's runs in the order of their start, of a run that left nothing but its folder as well. */
export async function runIds(output: Store, set: string): Promise<string[]> {
  const runs: string[] = []
  for await (const run of output.folders(layout.runs(set))) runs.push(run)
  return runs
}

/** Undefined when the run is not there. InputError `bad-layout` when its `run.json` is another's. */
export async function readRun(output: Store, set: string, run: string): Promise<Run | undefined> {
  return (await getJson(output, layout.run(set, run), runSchema))?.value
}

/**
 * The newest run of a result set. Only the newest can be open, since a run opens when no other one is. InputError
 * `bad-layout` when its `run.json` is another's, or gone while its work is there.
 */
export async function latestRun(output: Store, set: string): Promise<Run | undefined> {
  const runs = await runIds(output, set)
  for (const run of runs.reverse()) {
    const present = await readRun(output, set, run)
    if (present !== undefined) return present
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

/** Opens a run that starts from the state of now. `latest`: the newest run so far, which the new one sorts after. */
export async function openRun(options: {
  output: Store
  set: string
  base: string | null
  full: boolean
  retry?: Retry | undefined
  prune?: boolean
  keepRuns?: number | undefined
  report?: boolean | undefined
  queued?: boolean
  latest: Run | undefined
  now: Date
}): Promise<Run> {
  const { output, set, base, full, retry, prune = false, keepRuns, report = true } = options
  const { queued = false, latest, now } = options
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
    ...(keepRuns === undefined ? {} : { keepRuns }),
    ...(report ? {} : { report }),
    ...(queued ? { queued } : {}),
    startedAt: startedAt.toISOString(),
    closedAt: null,
    counts: null,
  }
  await putOnce(output, layout.run(set, run.run), printJson(run))
  return run
}

/** Closes a run for good. `report`: whether it has one, which whoever closes it decides; absent: it has. */
export async function closeRun(
  output: Store,
  set: string,
  run: Run,
  outcome: { state: Exclude<Run['state'], 'open'>; counts: NonNullable<Run['counts']>; report?: boolean },
): Promise<void> {
  const { state, counts, report = true } = outcome
  const { report: _asAsked, ...asOpened } = run
  const closedAt = new Date().toISOString()
  const closed: Run = { ...asOpened, ...(report ? {} : { report }), state, closedAt, counts }
  await output.put(layout.run(set, run.run), printJson(closed))
}
