import { InputError } from '../../base/errors.ts'
import { shownText } from '../../base/shownText.ts'
import { layout } from '../../output/layout.ts'
import { readRun, runIds } from '../../output/runs.ts'
import { readSummary } from '../../output/summary.ts'
import type { ComparedRow } from './comparedRow.ts'
import { areOfOneSet, comparedRows, placesOf, type ComparedTable } from './comparedTable.ts'
import type { Comparison, ComparisonSide, LargestChange } from './comparison.ts'
import { ComparisonSums, type RowComparison } from './comparisonSums.ts'
import type { ChangedImage } from './largestChanges.ts'
import { commonObjectives, MapComparison } from './mapComparison.ts'
import { notesOn, type OpenRun } from './notes.ts'
import { disagreement, pairedErrors } from './pairedErrors.ts'
import { pairedRows } from './pairedRows.ts'
import { setDifferences } from './setDifferences.ts'

export interface CompareOptions {
  readonly a: ComparedTable
  readonly b: ComparedTable
  /** What whoever chose the tables has to say of them. */
  readonly notes: readonly string[]
  /** Rejects with its reason. */
  readonly signal: AbortSignal
  /** Called with the number of keys that have been compared so far. */
  readonly onProgress: (keys: number) => void
}

/** A comparison, and the rows of the images that changed most, for their pictures. */
export interface Compared {
  readonly comparison: Comparison
  readonly largest: readonly ChangedImage[]
}

/**
 * Compares two tables: one merge of both in constant memory, with the small maps of each pair where it is known where they
 * lie. Raises InputError `nothing-shared` when no key is in both, `bad-layout` when a table is gone, and what the stores
 * raise.
 */
export async function compareTables({ a, b, notes, signal, onProgress }: CompareOptions): Promise<Compared> {
  const [placesA, placesB] = await Promise.all([placesOf(a), placesOf(b)])
  const canCompareMaps = placesA !== undefined && placesB !== undefined && commonObjectives(a, b).length > 0
  const maps = canCompareMaps ? new MapComparison(a, b, signal) : null
  const sums = new ComparisonSums()
  const first: FirstKeys = { a: undefined, b: undefined }
  let keys = 0
  for await (const pair of pairedRows<ComparedRow>(comparedRows(a, placesA), comparedRows(b, placesB))) {
    signal.throwIfAborted()
    first.a ??= pair.a?.key
    first.b ??= pair.b?.key
    const compared = sums.add(pair)
    if (compared !== null) await maps?.add(compared)
    onProgress(++keys)
  }
  const { allA, allB, ...rows } = sums.finish()
  if (sharedKeys(rows) === 0) throw nothingShared(a, b, first)
  const ofMaps = await maps?.finish()
  const { by, images: largest } = sums.largest() ?? { by: 'maps' as const, images: ofMaps?.leastAlike ?? [] }
  const [sideA, sideB] = await Promise.all([side(a, allA), side(b, allB)])
  const likenesses = await maps?.likenesses(largest)
  const told = largest.map((image, at) => largestChange(image, likenesses?.[at] ?? null))
  const numbers = { ...rows, largestBy: by, largest: told, maps: ofMaps?.likeness ?? null }
  const differences = setDifferences(a.set, b.set)
  const hasPlaces = { a: placesA !== undefined, b: placesB !== undefined }
  // Asked last: a run that has begun meanwhile counts as well.
  const openRuns = await openRunsOf(areOfOneSet(a, b) ? [a] : [a, b])
  const comparison: Comparison = {
    a: sideA,
    b: sideB,
    differences,
    notes: [...notes, ...notesOn({ a, b, differences, numbers, hasPlaces, openRuns })],
    ...numbers,
  }
  return { comparison, largest }
}

function sharedKeys({ images }: Pick<Comparison, 'images'>): number {
  const { compared, changed, failedBoth, failedOnlyA, failedOnlyB } = images
  return compared + changed + failedBoth + failedOnlyA + failedOnlyB
}

function nothingShared(a: ComparedTable, b: ComparedTable, first: FirstKeys): InputError {
  const of = ({ output, set, run }: ComparedTable, key: string | undefined): string =>
    `${output.uri}${layout.runTable(set.id, run)} ${key === undefined ? 'holds no image' : `begins with ${shownText(key)}`}`
  const message = `no image is in both tables: ${of(a, first.a)}, ${of(b, first.b)}; compare results of one dataset`
  return new InputError('nothing-shared', message)
}

async function side(table: ComparedTable, all: RowComparison['allA']): Promise<ComparisonSide> {
  const { output, set, run, stateRun } = table
  const summary = await readSummary(output, set.id, run)
  return {
    resultSet: `${output.uri}${set.id}/`,
    run,
    closedAt: summary?.closedAt ?? null,
    isState: run === stateRun,
    network: set.network.file,
    scope: set.options.scope,
    objectives: set.options.objectives,
    all,
  }
}

/** Of each result set the run that is not finished; only the newest can be. */
async function openRunsOf(tables: readonly ComparedTable[]): Promise<OpenRun[]> {
  const newest = await Promise.all(
    tables.map(async ({ output, set }) => {
      const id = (await runIds(output, set.id)).at(-1)
      const run = id === undefined ? undefined : await readRun(output, set.id, id)
      return run?.state === 'open' ? [{ resultSet: `${output.uri}${set.id}/`, run: run.run }] : []
    }),
  )
  return newest.flat()
}

function largestChange({ a, b }: ChangedImage, likeness: number | null): LargestChange {
  const errors = pairedErrors(a, b)
  return {
    key: a.key,
    subject: a.subject,
    sequence: a.sequence,
    delta: errors === null ? null : errors.b.mean - errors.a.mean,
    disagreement: disagreement(a, b)?.mean ?? null,
    likeness,
    label: { yaw: a.labelYaw, pitch: a.labelPitch, roll: a.labelRoll },
    a: { yaw: a.yaw, pitch: a.pitch, roll: a.roll },
    b: { yaw: b.yaw, pitch: b.pitch, roll: b.roll },
  }
}

interface FirstKeys {
  a: string | undefined
  b: string | undefined
}
