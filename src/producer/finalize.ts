import { HeadlightError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { leftOutText, type LeftOut } from '../dataset/leftOut.ts'
import { readActivations } from '../output/activations.ts'
import { putAggregates, type Aggregates } from '../output/aggregates.ts'
import { publish } from '../output/current.ts'
import { FailureList } from '../output/failureList.ts'
import { layout } from '../output/layout.ts'
import { sumOf } from '../output/leftOut.ts'
import { Manifest } from '../output/manifest.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { closeRun, runIds, type Run } from '../output/runs.ts'
import { stateRows } from '../output/stateRows.ts'
import { putSummary, readSummary, type Summary } from '../output/summary.ts'
import { tableColumns } from '../output/table.ts'
import { tableProvenance, TableWriter } from '../output/tableWriter.ts'
import { Aggregator } from '../report/aggregates/aggregator.ts'
import { runSummary, SummaryAccumulator } from '../report/summary.ts'
import { writeReport } from '../report/writeReport.ts'
import type { Patience } from '../storage/patience.ts'
import { PatientStore } from '../storage/patientStore.ts'
import type { ObjectWriter, Store } from '../storage/store.ts'
import { pruneGone } from './prune.ts'
import { removeOldRuns } from './retention.ts'
import { mergeState } from './stateMerge.ts'

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
  readonly work: WorkFacts
  readonly headlightVersion: string
  /** Faults of the output are waited out. */
  readonly patience: Patience
  /** Called right before what is published: raises when the hold is lost. */
  readonly confirmHold: () => Promise<void>
  /** Names result set and run. */
  readonly log: Logger
}

/**
 * Closes a run: table, failures, summary, then publishes it, draws the report and closes it, in that order. May be
 * repeated after a crash at any point with the same table and summary: the table depends on the state before and the
 * records alone, and what depends on the clock is taken from the summary if that has been written.
 */
export async function finalize(options: FinalizeOptions): Promise<Summary> {
  const { set, run } = options
  const output = new PatientStore(options.output, options.patience)
  const objects = {
    runTable: output.write(layout.runTable(set.id, run.run)),
    table: output.write(layout.table(set.id)),
    failures: output.write(layout.failures(set.id, run.run), { contentType: 'text/csv; charset=utf-8' }),
  }
  try {
    return await close(output, options, objects)
  } finally {
    for (const object of Object.values(objects)) await object.discard()
  }
}

/** What grows with the dataset is written while it is made. */
type GrowingObjects = Readonly<Record<'runTable' | 'table' | 'failures', ObjectWriter>>

async function close(output: Store, options: FinalizeOptions, objects: GrowingObjects): Promise<Summary> {
  const { set, run, state, log } = options
  const merged = await merge(output, options, objects)
  await objects.failures.commit()
  if (merged.isChanged) {
    await putAggregates(output, set.id, run.run, merged.aggregates)
    await objects.runTable.commit()
  }

  const before = await readSummary(output, set.id, run.run)
  const former = await formerLeftOut(output, set.id, run.run)
  const leftOut = run.retry === undefined ? await leftOutOf(output, set.id, run.run) : former
  const activations = await readActivations(output, set.id, set.network.file)
  const summary: Summary = {
    run: run.run,
    output: `${output.uri}${set.id}/`,
    state,
    counts: merged.counts,
    ...merged.numbers,
    ...(leftOut === undefined ? {} : { leftOut }),
    ...(activations === undefined ? {} : { activations }),
    imagesPerSecond: before === undefined ? options.work.imagesPerSecond : before.imagesPerSecond,
    engine: before === undefined ? [...options.work.engines].sort() : before.engine,
    engineReasons: before === undefined ? (options.work.engineReasons ?? {}) : before.engineReasons,
    startedAt: run.startedAt,
    closedAt: before?.closedAt ?? new Date().toISOString(),
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
  if (merged.isChanged || leftOutText(leftOut) !== leftOutText(former)) await report(options, summary)
  if (leftOut !== undefined) log.info({ leftOut }, `left out of the dataset: ${leftOutText(leftOut)}`)
  await closeRun(output, set.id, run, { state, counts: summary.counts })
  log.info({ state, ...summary.counts }, 'the run is closed')
  const { keepRuns } = options
  // Not before: until it is closed the run may be finalised again, from the table that it started from.
  if (keepRuns !== undefined)
    await removeOldRuns({ output, set: set.id, keepRuns, signal: options.patience.signal, log })
  return summary
}

/** Undefined when the run's listing left nothing out. */
async function leftOutOf(output: Store, set: string, run: string): Promise<LeftOut | undefined> {
  const leftOut = sumOf(await new Manifest(output, set, run).leftOut())
  return Object.keys(leftOut).length === 0 ? undefined : leftOut
}

/** What the run before says, which the report shows: that one may have changed nothing, so that it is not the base. */
async function formerLeftOut(output: Store, set: string, run: string): Promise<LeftOut | undefined> {
  const before = (await runIds(output, set)).findLast((name) => name < run)
  return before === undefined ? undefined : (await readSummary(output, set, before))?.leftOut
}

interface Merged {
  /** Otherwise the state stays the one before, and there is no table. */
  readonly isChanged: boolean
  readonly counts: Summary['counts']
  readonly numbers: ReturnType<SummaryAccumulator['finish']> & Pick<Summary, 'thisRun'>
  readonly aggregates: Aggregates
}

/** Reads all that the run left, and writes table and failures. */
async function merge(
  output: Store,
  { set, run, state, patience, log }: FinalizeOptions,
  objects: GrowingObjects,
): Promise<Merged> {
  const manifest = new Manifest(output, set.id, run.run)
  const listed = { toCompute: 0, unchanged: 0, gone: 0 }
  for await (const { header } of manifest.parts()) {
    listed.toCompute += header.count
    listed.unchanged += header.unchanged
    listed.gone += header.gone.length
  }
  const accumulator = new SummaryAccumulator()
  // Of a first run, which computes every row, both would say the same, at the price of a second for a million rows.
  const ofThisRun = run.base === null ? accumulator : new SummaryAccumulator()
  const aggregator = new Aggregator()
  const table = new TableWriter(tableColumns(set.options), [objects.runTable, objects.table], tableProvenance(set))
  const failures = new FailureList(objects.failures)
  const seen = { computed: 0, kept: 0, failed: 0 }
  const rows = mergeState({
    output,
    set: set.id,
    run: run.run,
    manifest,
    state: stateRows(output, set.id, run.base),
    mayLack: state === 'cancelled',
    objectives: set.options.objectives,
    onMagnitudes: (maps) => accumulator.addMagnitudes(maps),
    log,
  })
  const changes = listed.toCompute + listed.gone > 0
  for await (const { row, isComputed } of rows) {
    // Of millions of rows: whoever interrupts it, or has taken the hold, is not to wait for the last.
    patience.signal.throwIfAborted()
    seen[isComputed ? 'computed' : 'kept']++
    accumulator.addRow(row)
    if (isComputed && ofThisRun !== accumulator) ofThisRun.addRow(row)
    if (changes) {
      aggregator.addRow(row)
      await table.add(row)
    }
    if (row.status === 'failed') {
      seen.failed++
      await failures.add(row)
    }
  }
  if (state === 'completed' && (seen.computed !== listed.toCompute || seen.kept !== listed.unchanged)) {
    throw new Error(
      `Run ${run.run} has ${seen.computed} records of ${listed.toCompute} and kept ${seen.kept} rows of ${listed.unchanged}; ` +
        'its manifest and the state it started from do not fit together.',
    )
  }
  const isChanged = seen.computed + listed.gone > 0
  if (isChanged) await table.finish()
  await failures.finish()
  const numbers = accumulator.finish()
  if (seen.computed === 0) numbers.mapCorrelations = await formerCorrelations(output, set.id, run.base)
  return {
    isChanged,
    counts: {
      // Of a run that was cancelled, samples that it left may have a row from before.
      total: seen.computed + seen.kept,
      computed: seen.computed,
      unchanged: listed.unchanged,
      failed: seen.failed,
      gone: listed.gone,
      ...(state === 'cancelled' ? { left: listed.toCompute - seen.computed } : {}),
    },
    numbers: seen.computed === 0 ? numbers : { ...numbers, thisRun: runSummary(ofThisRun.finish(), seen.computed) },
    aggregates: aggregator.finish(),
  }
}

/** Correlations are of the maps that a run computes; when it computes none, those of the run before still hold. */
async function formerCorrelations(
  output: Store,
  set: string,
  base: string | null,
): Promise<Summary['mapCorrelations']> {
  if (base === null) return {}
  return (await readSummary(output, set, base))?.mapCorrelations ?? {}
}

/**
 * A fault of the output is waited out, or ends this attempt; a picture that cannot be drawn must not keep the results
 * back. The stores are given as they are: hundreds of images, each waited for, would take hours.
 */
async function report(options: FinalizeOptions, summary: Summary): Promise<void> {
  const { output, set, patience, log } = options
  const dataset = options.openDataset(set)
  try {
    await patience.call(output, () => writeReport({ output, dataset, set, summary, signal: patience.signal, log }))
  } catch (error) {
    patience.signal.throwIfAborted()
    if (error instanceof HeadlightError) throw error
    log.error({ err: error }, 'the report could not be drawn; the results are complete without it')
  } finally {
    dataset.close()
  }
}
