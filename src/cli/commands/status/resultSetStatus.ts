import { currentRun } from '../../../output/current.ts'
import { readFlags } from '../../../output/flags.ts'
import { liveHold } from '../../../output/hold.ts'
import { shardName } from '../../../output/layout.ts'
import { Manifest, shardsOf } from '../../../output/manifest.ts'
import { openRunState, type OpenRunState } from '../../../output/openRunState.ts'
import { committedShards } from '../../../output/recordFile.ts'
import { readResultSet, resultSetIds } from '../../../output/resultSet.ts'
import { latestRun, readRun, type Run } from '../../../output/runs.ts'
import { readSummary } from '../../../output/summary.ts'
import type { Store } from '../../../storage/store.ts'

/** One result set and its latest run, as `status --json` prints it. The names are a contract: add, don't rename. */
export interface ResultSetStatus {
  readonly set: string
  readonly dataset: string
  readonly network: string
  readonly objectives: readonly string[]
  /** The latest run, or the one asked for; null when the result set has none yet. */
  readonly run: string | null
  readonly state: OpenRunState | 'completed' | 'cancelled' | 'empty'
  /** Images that the dataset held when the run was closed; null while it is open. */
  readonly images: number | null
  /** Images to compute in this run that are committed; `total` is null while the listing goes on. */
  readonly done: number
  readonly total: number | null
  /** Of a closed run as its summary says; of a running one, the average since its start. */
  readonly imagesPerSecond: number | null
  /** Failed records of the result set; null while the run is open. */
  readonly failed: number | null
  /** Who writes to the result set now. */
  readonly hold: { readonly host: string; readonly pid: number; readonly heartbeatSecondsAgo: number } | null
  readonly startedAt: string | null
  readonly closedAt: string | null
  /** The run whose table is published. */
  readonly published: string | null
}

/** Reads the status of every result set in an output, in order of name. With `run`, only the sets that hold that run. */
export async function* resultSetStatuses(output: Store, now: Date, run?: string): AsyncGenerator<ResultSetStatus> {
  for await (const set of resultSetIds(output)) {
    const status = await resultSetStatus(output, set, now, run)
    if (status) yield status
  }
}

async function resultSetStatus(
  output: Store,
  set: string,
  now: Date,
  wanted: string | undefined,
): Promise<ResultSetStatus | undefined> {
  const [made, published, hold, run] = await Promise.all([
    readResultSet(output, set),
    currentRun(output, set),
    liveHold(output, set, now),
    wanted === undefined ? latestRun(output, set) : readRun(output, set, wanted),
  ])
  if (!made || (wanted !== undefined && !run)) return undefined
  const { dataset, network, options } = made
  return {
    set,
    dataset: dataset.uri,
    network: network.file,
    objectives: options.objectives,
    ...(run ? await runStatus(output, set, run, hold?.hold.run === run.run, now) : noRun),
    hold: hold ? { host: hold.hold.host, pid: hold.hold.pid, heartbeatSecondsAgo: hold.heartbeatSecondsAgo } : null,
    published,
  }
}

type RunStatus = Pick<
  ResultSetStatus,
  'run' | 'state' | 'images' | 'done' | 'total' | 'imagesPerSecond' | 'failed' | 'startedAt' | 'closedAt'
>

const noRun: RunStatus = {
  run: null,
  state: 'empty',
  images: null,
  done: 0,
  total: null,
  imagesPerSecond: null,
  failed: null,
  startedAt: null,
  closedAt: null,
}

async function runStatus(output: Store, set: string, run: Run, held: boolean, now: Date): Promise<RunStatus> {
  const common = { run: run.run, startedAt: run.startedAt, closedAt: run.closedAt }
  if (run.state !== 'open') {
    const summary = await readSummary(output, set, run.run)
    const done = run.counts?.computed ?? 0
    return {
      ...common,
      state: run.state,
      images: run.counts?.total ?? null,
      done,
      total: done + (run.counts?.left ?? 0),
      imagesPerSecond: summary?.imagesPerSecond ?? null,
      failed: run.counts?.failed ?? null,
    }
  }
  const [{ done, total }, { paused }] = await Promise.all([
    committed(output, set, run.run),
    readFlags(output, set, run.run),
  ])
  const seconds = (now.getTime() - Date.parse(run.startedAt)) / 1000
  return {
    ...common,
    state: openRunState(run, { paused, held, isBegun: total !== null || done > 0 }),
    images: null,
    done,
    total,
    // A run that was left and taken up again counts the pause, too: only a running one's rate says anything.
    imagesPerSecond: held && !paused && done > 0 && seconds > 0 ? done / seconds : null,
    failed: null,
  }
}

/** Images in committed shards, from the names of the record files alone. */
async function committed(output: Store, set: string, run: string): Promise<{ done: number; total: number | null }> {
  const manifest = new Manifest(output, set, run)
  const present = new Set<string>()
  for await (const { part, offset } of committedShards(output, set, run)) present.add(shardName(part, offset))
  let done = 0
  for await (const { header } of manifest.parts()) {
    for (const { part, offset, count } of shardsOf(header)) {
      if (present.has(shardName(part, offset))) done += count
    }
  }
  return { done, total: (await manifest.done())?.toCompute ?? null }
}
