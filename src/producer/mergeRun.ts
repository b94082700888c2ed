import type { Logger } from '../base/telemetry.ts'
import type { Aggregates } from '../output/aggregates.ts'
import { FailureList } from '../output/failureList.ts'
import { layout } from '../output/layout.ts'
import { Manifest } from '../output/manifest.ts'
import { MapPlacesWriter, openMapPlaces } from '../output/mapPlaces.ts'
import type { ResultSet } from '../output/resultSet.ts'
import type { Run } from '../output/runs.ts'
import { stateRows } from '../output/stateRows.ts'
import type { Summary } from '../output/summary.ts'
import { tableColumns } from '../output/table.ts'
import { tableProvenance, TableWriter } from '../output/tableWriter.ts'
import { Aggregator } from '../report/aggregates/aggregator.ts'
import { runSummary, SummaryAccumulator, type SampleSummary } from '../report/summary.ts'
import type { ObjectWriter, Store } from '../storage/store.ts'
import { AtlasUpdate, type Atlas } from './atlas.ts'
import { StateCursor } from './stateCursor.ts'
import { mergeState } from './stateMerge.ts'

/** What grows with the dataset is written while it is made. */
export type GrowingObjects = Readonly<Record<'runTable' | 'table' | 'failures' | 'places', ObjectWriter>>

export interface MergeRunOptions {
  readonly output: Store
  readonly set: ResultSet
  readonly run: Run
  readonly state: 'completed' | 'cancelled'
  /** The atlas of the state before; null: the new state has no row of it. */
  readonly before: Atlas | null
  readonly objects: GrowingObjects
  readonly signal: AbortSignal
  readonly log: Logger
}

/** What a run's records and the state before it amount to. */
export interface MergedRun {
  /** Otherwise the state stays the one before, and there is no table. */
  readonly isChanged: boolean
  readonly counts: Summary['counts']
  readonly numbers: SampleSummary & Pick<Summary, 'thisRun'>
  readonly aggregates: Aggregates
  /** Of the new state; undefined when it has to be summed anew, and where there is none. */
  readonly atlas: Atlas | undefined
}

/** Reads all that the run left, and writes table, places of maps and failures into objects that the caller commits. */
export async function mergeRun(options: MergeRunOptions): Promise<MergedRun> {
  const { output, set, run, state, before, objects, signal, log } = options
  const manifest = new Manifest(output, set.id, run.run)
  const listed = { toCompute: 0, unchanged: 0, gone: 0 }
  for await (const { header } of manifest.parts()) {
    listed.toCompute += header.count
    listed.unchanged += header.unchanged
    listed.gone += header.gone.length
  }
  const { objectives } = set.options
  const accumulator = new SummaryAccumulator()
  // Of a first run, which computes every row, both would say the same, at the price of a second for a million rows.
  const ofThisRun = run.base === null ? accumulator : new SummaryAccumulator()
  const aggregator = new Aggregator()
  const atlas = new AtlasUpdate({ output, set: set.id, objectives, before, log })
  const table = new TableWriter(tableColumns(set.options), [objects.runTable, objects.table], tableProvenance(set))
  const places = new MapPlacesWriter(objects.places)
  const failures = new FailureList(objects.failures)
  const seen = { computed: 0, kept: 0, failed: 0 }
  const rows = mergeState({
    output,
    set: set.id,
    run: run.run,
    manifest,
    state: await stateBefore(options),
    mayLack: state === 'cancelled',
    objectives,
    log,
  })
  const changes = listed.toCompute + listed.gone > 0
  for await (const merged of rows) {
    // Of millions of rows: whoever interrupts it, or has taken the hold, is not to wait for the last.
    signal.throwIfAborted()
    const { row, place } = merged
    if (merged.from === 'dropped') {
      await atlas.drop(row, place)
      continue
    }
    if (merged.from === 'state') {
      seen.kept++
      atlas.keep(place)
    } else {
      seen.computed++
      atlas.add(row, place, merged.maps)
      if (ofThisRun !== accumulator) ofThisRun.addRow(row)
    }
    accumulator.addRow(row)
    if (changes) {
      aggregator.addRow(row)
      await table.add(row)
      await places.add(place)
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
  if (isChanged) {
    await table.finish()
    await places.finish()
  }
  await failures.finish()
  const numbers = accumulator.finish()
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
    atlas: isChanged ? await atlas.finish() : undefined,
  }
}

async function stateBefore({ output, set, run: { base }, before }: MergeRunOptions): Promise<StateCursor> {
  const rows = stateRows(output, set.id, base)
  if (base === null || before === null) return new StateCursor(rows)
  const places = await openMapPlaces(output, set.id, base)
  return new StateCursor(rows, places?.places(), `${output.uri}${layout.mapPlaces(set.id, base)}`)
}
