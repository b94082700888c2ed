import { aheadOf } from '../base/aheadOf.ts'
import { HeadlightError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { currentRun } from '../output/current.ts'
import { layout } from '../output/layout.ts'
import { openMapPlaces, type MapPlaces } from '../output/mapPlaces.ts'
import { latestRun, readRun, runIds } from '../output/runs.ts'
import type { Store } from '../storage/store.ts'
import { runsNotPruned } from './prune.ts'

export interface RetentionOptions {
  /** Waits out its own faults. */
  readonly output: Store
  readonly set: string
  /** How many runs that changed anything are kept whole, the newest. At least 1. */
  readonly keepRuns: number
  /** Ends the removing: the hold is lost, or somebody wants to stop. */
  readonly signal: AbortSignal
  readonly log: Logger
}

const requestsAtOnce = 16

/**
 * Removes what older runs hold beyond their trend: table, places, atlases, and of records and small maps whatever no row
 * of the state needs. To be called under the hold, when the run is closed: a repeated finalise reads the table that its
 * run started from.
 *
 * Counted are runs with a table of their own, since one that changed nothing holds next to nothing. What is removed is no
 * part of what decides that, so the next call goes on where this one ended. Results are complete without it: whatever the
 * store says is a warning. Rejects with the signal's reason.
 */
export async function removeOldRuns(options: RetentionOptions): Promise<void> {
  const { signal, log } = options
  const freed = { runs: 0, files: 0, bytes: 0 }
  try {
    await remove(options, freed)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof HeadlightError)) throw error
    const { code, message } = error
    const remedy = isRefusal(error)
      ? 'whoever produces must be allowed to delete tables, places, atlases, records and manifests below */runs/*/'
      : 'the next run with --keep-runs goes on with it'
    log.warn({ code }, `not all of the older runs could be removed: ${message}; ${remedy}`)
  }
  if (freed.files === 0) return
  const megabytes = Number((freed.bytes / 1e6).toFixed(1))
  const { runs, files } = freed
  log.info({ runs, files, megabytes }, `${files} files of ${runs} older runs were removed: ${megabytes} MB`)
}

const isRefusal = ({ code }: HeadlightError): boolean => code === 'access-denied' || code === 'credentials-expired'

async function remove(options: RetentionOptions, freed: { runs: number; files: number; bytes: number }): Promise<void> {
  const { output, set, signal, log } = options
  const state = await currentRun(output, set)
  if (state === null) return
  const older = await olderRuns(options, state)
  const last = older.at(-1)
  if (last === undefined) return
  const places = await placesOf(output, set, state)
  if (places === undefined) {
    const why = `${output.uri}${layout.mapPlaces(set, state)}, which says what the state needs of older runs, is not there`
    log.warn(`--keep-runs removes nothing yet: ${why}; the next run that changes anything writes it`)
    return
  }
  const isOlder = new Set(older)
  const isNeeded = neededFiles(set, places, isOlder)
  const judge = new Judge(output, set, isNeeded)
  let batch: { key: string; sizeBytes: number }[] = []
  let counted: string | undefined
  const empty = async (): Promise<void> => {
    signal.throwIfAborted()
    await Promise.all(batch.map(({ key }) => output.delete(key)))
    freed.files += batch.length
    freed.bytes += batch.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    batch = []
  }
  const prefix = layout.runs(set)
  for await (const { key, sizeBytes } of output.list({ prefix })) {
    const run = key.slice(prefix.length).split('/', 1)[0] ?? ''
    // The listing is sorted: from here on all belong to runs that are kept.
    if (run > last) break
    if (!isOlder.has(run) || !(await judge.mayGo(run, key))) continue
    if (run !== counted) freed.runs++
    counted = run
    batch.push({ key, sizeBytes })
    if (batch.length === requestsAtOnce) await empty()
  }
  await empty()
}

/** In their order; none of them is the state, or what an open run started from. */
async function olderRuns({ output, set, keepRuns }: RetentionOptions, state: string): Promise<string[]> {
  const runs = await runIds(output, set)
  const hasTable = async (run: string): Promise<boolean> => (await output.head(layout.runTable(set, run))) !== undefined
  let kept = 0
  let first = runs.length
  // So many have to be asked for in any case.
  const ahead = Math.min(keepRuns, requestsAtOnce) - 1
  for await (const isKept of aheadOf(ahead, runs.toReversed(), hasTable)) {
    first--
    if (isKept && ++kept === keepRuns) break
  }
  if (kept < keepRuns) return []
  const latest = await latestRun(output, set)
  const base = latest?.state === 'open' ? latest.base : null
  return runs.slice(0, first).filter((run) => run !== state && run !== base)
}

/** Undefined where it is not there, or is another version's. */
async function placesOf(output: Store, set: string, state: string): Promise<MapPlaces | undefined> {
  try {
    return await openMapPlaces(output, set, state)
  } catch (error) {
    if (error instanceof HeadlightError && error.code === 'bad-layout') return undefined
    throw error
  }
}

/** Of older runs: record files whose rows are part of the state, and the small maps of these rows. */
function neededFiles(set: string, { files }: MapPlaces, isOlder: ReadonlySet<string>): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const { run, part, offset, samples } of files) {
    if (!isOlder.has(run)) continue
    keys.add(layout.recordFile(set, run, part, offset))
    keys.add(layout.magnitudeFile(set, run, part, offset, samples))
    keys.add(layout.inputFile(set, run, part, offset, samples))
  }
  return keys
}

/** Says which files of older runs may go. */
class Judge {
  readonly #output: Store
  readonly #set: string
  readonly #isNeeded: ReadonlySet<string>
  /** Of the run that was asked about last: the listing goes run by run. */
  #run: { readonly id: string; readonly isClosed: boolean; readonly hasGone: boolean } | undefined
  #notPruned: Promise<ReadonlySet<string>> | undefined

  constructor(output: Store, set: string, isNeeded: ReadonlySet<string>) {
    this.#output = output
    this.#set = set
    this.#isNeeded = isNeeded
  }

  async mayGo(run: string, key: string): Promise<boolean> {
    const set = this.#set
    const ofRun = [layout.runTable, layout.mapPlaces, layout.atlas, layout.inputAtlas].map((name) => name(set, run))
    if (ofRun.includes(key)) return this.#isClosed(run)
    if (/\.(jsonl|mag|input)$/.test(key) && key.startsWith(layout.records(set, run)))
      return !this.#isNeeded.has(key) && (await this.#isClosed(run))
    if (key.startsWith(layout.manifest(set, run))) return (await this.#isClosed(run)) && !(await this.#awaitsPrune(run))
    return false
  }

  async #isClosed(run: string): Promise<boolean> {
    return (await this.#known(run)).isClosed
  }

  /** Whether a later `--prune` reads which samples the run found gone. */
  async #awaitsPrune(run: string): Promise<boolean> {
    if (!(await this.#known(run)).hasGone) return false
    this.#notPruned ??= runsNotPruned(this.#output, this.#set).then((runs) => new Set(runs))
    return (await this.#notPruned).has(run)
  }

  async #known(id: string): Promise<{ readonly isClosed: boolean; readonly hasGone: boolean }> {
    if (this.#run?.id !== id) {
      const found = await readRun(this.#output, this.#set, id)
      const isClosed = found !== undefined && found.state !== 'open'
      this.#run = { id, isClosed, hasGone: (found?.counts?.gone ?? 1) > 0 }
    }
    return this.#run
  }
}
