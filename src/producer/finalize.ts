import { HeadlightError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { together } from '../base/together.ts'
import { leftOutText, type LeftOut } from '../dataset/leftOut.ts'
import { readActivations } from '../output/activations.ts'
import { putAggregates } from '../output/aggregates.ts'
import { publish } from '../output/current.ts'
import { layout } from '../output/layout.ts'
import { sumOf } from '../output/leftOut.ts'
import { Manifest } from '../output/manifest.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { closeRun, readRun, runIds, type Run } from '../output/runs.ts'
import { putSummary, readSummary, type Summary } from '../output/summary.ts'
import { mapCorrelations } from '../report/aggregates/mapCorrelations.ts'
import { withdrawReport } from '../report/withdrawReport.ts'
import type { ReportProgress } from '../report/writeReport.ts'
import type { Patience } from '../storage/patience.ts'
import { PatientStore } from '../storage/patientStore.ts'
import type { Store } from '../storage/store.ts'
import { putAtlas, type Atlas } from './atlas.ts'
import { completedAtlas, rewrittenAtlas, type BackfillOptions } from './backfill.ts'
import { mergeRun, type GrowingObjects, type MergedRun } from './mergeRun.ts'
import { pruneGone } from './prune.ts'
import { removeOldRuns } from './retention.ts'

/** What the jobs' return values said about the work; none of it may stand in a record. */
export interface WorkFacts {
  readonly engines: readonly string[]
  readonly engineReasons?: Readonly<Record<string, string>>
  /** Null when nothing was computed while this producer looked on. */
  readonly imagesPerSecond: number | null
}

export interface FinalizeOptions {
  readonly output: Store
  readonly openDataset: (set: ResultSet) => Store
  readonly set: ResultSet
  readonly run: Run
  /** A cancelled run's records are merged as well; the rest of its manifest stays to be computed. */
  readonly state: 'completed' | 'cancelled'
  /** Remove maps and gradients of samples that are gone, once the state without them is published. */
  readonly prune: boolean
  /** How many runs that changed anything are kept whole, once this one is closed; absent: all. */
  readonly keepRuns?: number | undefined
  /** Whether the report is drawn, as it is when this is absent; if not, that of an earlier state is withdrawn. */
  readonly report?: boolean
  readonly work: WorkFacts
  readonly headlightVersion: string
  /** Faults of the output are waited out. */
  readonly patience: Patience
  /** Called right before what is published: raises when the hold is lost. */
  readonly confirmHold: () => Promise<void>
  /** Told what takes long and is not expected, and `undefined` when it is done. The log is told as well. */
  readonly say?: (message: string | undefined) => void
  readonly onReport?: (progress: ReportProgress) => void
  /** Names result set and run. */
  readonly log: Logger
}

/**
 * Closes a run: failures, table, places of maps, atlas, aggregates, summary, then publishes it, draws the report and
 * closes it, in that order. May be repeated after a crash at any point with the same bytes: they depend on the state
 * before and the records alone, and what depends on the clock is taken from the summary if that has been written.
 *
 * Before that, where the state before lacks its atlas, it gets it.
 */
export async function finalize(options: FinalizeOptions): Promise<Summary> {
  const { set, run } = options
  const output = new PatientStore(options.output, options.patience)
  const objects = {
    runTable: output.write(layout.runTable(set.id, run.run)),
    table: output.write(layout.table(set.id)),
    failures: output.write(layout.failures(set.id, run.run), { contentType: 'text/csv; charset=utf-8' }),
    places: output.write(layout.mapPlaces(set.id, run.run)),
  }
  try {
    return await close(output, options, objects)
  } finally {
    for (const object of Object.values(objects)) await object.discard()
  }
}

async function close(output: Store, options: FinalizeOptions, objects: GrowingObjects): Promise<Summary> {
  const { set, run, state, log } = options
  const before = await atlasBefore(output, options)
  const merged = await mergeRun({
    output,
    set,
    run,
    state,
    before: before?.atlas ?? null,
    objects,
    signal: options.patience.signal,
    log,
  })
  const [atlas, written, former, listedLeftOut, activations] = await together([
    writeBeside(output, options, objects, merged, before?.atlas),
    readSummary(output, set.id, run.run),
    formerRun(output, set.id, run.run),
    run.retry === undefined ? leftOutOf(output, set.id, run.run) : undefined,
    readActivations(output, set.id, set.network.file),
  ])
  const leftOut = run.retry === undefined ? listedLeftOut : former.leftOut
  const summary: Summary = {
    run: run.run,
    output: `${output.uri}${set.id}/`,
    state,
    counts: merged.counts,
    ...merged.numbers,
    ...(atlas === undefined ? { mapCorrelations: {} } : mapCorrelations(atlas.magnitudes)),
    ...(leftOut === undefined ? {} : { leftOut }),
    ...(activations === undefined ? {} : { activations }),
    imagesPerSecond: written === undefined ? options.work.imagesPerSecond : written.imagesPerSecond,
    engine: written === undefined ? [...options.work.engines].sort() : written.engine,
    engineReasons: written === undefined ? (options.work.engineReasons ?? {}) : written.engineReasons,
    startedAt: run.startedAt,
    closedAt: written?.closedAt ?? new Date().toISOString(),
    headlightVersion: options.headlightVersion,
  }
  await options.confirmHold()
  await putSummary(output, set.id, summary)
  if (merged.isChanged) {
    await options.confirmHold()
    await objects.table.commit()
    // Again: to put a large table together takes a while.
    await options.confirmHold()
    await publish(output, set.id, run.run)
  }
  // Not before: until then readers see the state in which these samples have maps. Not after the run is closed: a crash
  // in between would leave them until the next run that prunes.
  const published = merged.isChanged ? run.run : run.base
  if (options.prune && published !== null) await pruneGone({ output, set, run: run.run, state: published, log })
  // After publishing: it looks at hundreds of images, and a dataset that answers slowly must not hold results back.
  const isNews = merged.isChanged || before?.isNew === true || leftOutText(leftOut) !== leftOutText(former.leftOut)
  const { report: isWanted = true } = options
  if (isWanted && (isNews || former.lacksReport)) await report(options, summary)
  if (!isWanted && isNews) await withdrawReport(output, set, summary)
  if (leftOut !== undefined) log.info({ leftOut }, `left out of the dataset: ${leftOutText(leftOut)}`)
  await closeRun(output, set.id, run, { state, counts: summary.counts, report: isWanted })
  log.info({ state, ...summary.counts }, 'the run is closed')
  const { keepRuns } = options
  // Not before: until it is closed the run may be finalised again, from the table that it started from.
  if (keepRuns !== undefined)
    await removeOldRuns({ output, set: set.id, keepRuns, signal: options.patience.signal, log })
  return summary
}

/** All that lies beside the table, side by side: nobody looks for it before the run is published. Gives the atlas. */
async function writeBeside(
  output: Store,
  options: FinalizeOptions,
  objects: GrowingObjects,
  merged: MergedRun,
  before: Atlas | undefined,
): Promise<Atlas | undefined> {
  const { set, run } = options
  if (!merged.isChanged) {
    await objects.failures.commit()
    return before
  }
  const { atlas, aggregates } = merged
  await together([
    objects.failures.commit(),
    objects.runTable.commit(),
    objects.places.commit(),
    ...(atlas === undefined
      ? []
      : [putAtlas(output, set.id, run.run, atlas), putAggregates(output, set.id, run.run, aggregates)]),
  ])
  if (atlas !== undefined) return atlas
  // From the table and the places, which are there now.
  const summed = await summedAnew(output, options)
  await putAggregates(output, set.id, run.run, aggregates)
  return summed
}

/** Of the state that the run started from, made where it is missing; undefined when the new state has no row of that one. */
async function atlasBefore(
  output: Store,
  options: FinalizeOptions,
): Promise<{ readonly atlas: Atlas; readonly isNew: boolean } | undefined> {
  const { run, state } = options
  if (run.base === null || (run.full && state === 'completed')) return undefined
  return completedAtlas(backfillOf(output, options, run.base))
}

/** Where something that is to be taken back from the atlas of the state before is gone. */
function summedAnew(output: Store, options: FinalizeOptions): Promise<Atlas> {
  return rewrittenAtlas(backfillOf(output, options, options.run.run), 'lost')
}

function backfillOf(
  output: Store,
  { set, patience, say = () => undefined, confirmHold, log }: FinalizeOptions,
  run: string,
): BackfillOptions {
  return { output, set, run, say, signal: patience.signal, confirmHold, log }
}

/** Undefined when the run's listing left nothing out. */
async function leftOutOf(output: Store, set: string, run: string): Promise<LeftOut | undefined> {
  const leftOut = sumOf(await new Manifest(output, set, run).leftOut())
  return Object.keys(leftOut).length === 0 ? undefined : leftOut
}

/** Of the run before: that one may have changed nothing, so that it is not the base. */
async function formerRun(
  output: Store,
  set: string,
  run: string,
): Promise<{ readonly leftOut: LeftOut | undefined; readonly lacksReport: boolean }> {
  const before = (await runIds(output, set)).findLast((name) => name < run)
  if (before === undefined) return { leftOut: undefined, lacksReport: false }
  const [summary, former] = await Promise.all([readSummary(output, set, before), readRun(output, set, before)])
  return { leftOut: summary?.leftOut, lacksReport: former?.report === false }
}

/**
 * A fault of the output is waited out, or ends this attempt; a picture that cannot be drawn must not keep the results
 * back. The stores are given as they are: hundreds of images, each waited for, would take hours.
 */
async function report(options: FinalizeOptions, summary: Summary): Promise<void> {
  const { output, set, patience, onReport, log } = options
  const drawing = { set, summary, signal: patience.signal, ...(onReport && { onProgress: onReport }), log }
  const dataset = options.openDataset(set)
  try {
    // Not before: it brings the image library, which a run in which nothing has changed does not need.
    const { writeReport } = await import('../report/writeReport.ts')
    await patience.call(output, () => writeReport({ output, dataset, ...drawing }))
  } catch (error) {
    patience.signal.throwIfAborted()
    if (error instanceof HeadlightError) throw error
    log.error({ err: error }, 'the report could not be drawn; the results are complete without it')
  } finally {
    dataset.close()
  }
}
