import { randomBytes } from 'node:crypto'
import { layout } from '../contract/layout.ts'
import { currentSchema, newRunId, runSchema } from '../contract/run.ts'
import type { Retry, Run } from '../contract/run.ts'
import { InputError } from '../errors.ts'
import type { Store } from '../storage/store.ts'
import { getJson, printJson, putOnce } from '../storage/jsonObject.ts'

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
