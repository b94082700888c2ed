import { aheadOf } from '../base/aheadOf.ts'
import type { Logger } from '../base/telemetry.ts'
import { layout, refuseKey } from '../output/layout.ts'
import { Manifest } from '../output/manifest.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { readRun, runIds } from '../output/runs.ts'
import { stateRows } from '../output/stateRows.ts'
import type { TableRow } from '../output/table.ts'
import type { Store } from '../storage/store.ts'

export interface PruneOptions {
  readonly output: Store
  readonly set: ResultSet
  readonly run: string
  /** The run whose table is the state now: this one, or where it changed nothing the one before. */
  readonly state: string
  readonly log: Logger
}

/** Gone samples looked at together: the state is read once for so many. */
const chunkKeys = 100_000
const requestsAtOnce = 16

/**
 * Removes the maps and gradients of samples that are gone: of those that the run found so, and of those of earlier runs
 * that did not prune. May be repeated: what is removed already is no error.
 */
export async function pruneGone(options: PruneOptions): Promise<void> {
  const { output, set, run, log } = options
  let chunk: string[] = []
  let pruned = 0
  for (const listed of [run, ...(await runsNotPruned(output, set.id, run))]) {
    for await (const { header } of new Manifest(output, set.id, listed).parts()) {
      chunk.push(...header.gone)
      if (chunk.length < chunkKeys) continue
      pruned += await pruneChunk(options, chunk)
      chunk = []
    }
  }
  pruned += await pruneChunk(options, chunk)
  if (pruned > 0) log.info({ samples: pruned }, 'the maps of samples that are gone have been removed')
}

/**
 * The runs whose gone samples may still have maps, newest first: back to the last one that pruned, which left nothing of
 * what went before.
 *
 * @param before only runs before this one
 */
export async function runsNotPruned(output: Store, set: string, before?: string): Promise<string[]> {
  const runs = (await runIds(output, set)).filter((name) => before === undefined || name < before)
  const found: string[] = []
  const prunes = async (run: string): Promise<{ run: string; isPruned: boolean }> => ({
    run,
    isPruned: (await readRun(output, set, run))?.prune === true,
  })
  for await (const { run, isPruned } of aheadOf(requestsAtOnce - 1, runs.reverse(), prunes)) {
    if (isPruned) break
    found.push(run)
  }
  return found
}

async function pruneChunk({ output, set, state }: PruneOptions, gone: readonly string[]): Promise<number> {
  // A refused key never had a map, and its path may lead anywhere.
  const keys = gone.filter((key) => refuseKey(key) === undefined)
  if (keys.length === 0) return 0
  const statuses = await statusesOf(output, set.id, state, new Set(keys.flatMap((key) => [key, twin(key)])))
  const { objectives, gradients } = set.options
  // Since an earlier run found it gone a sample may have come back.
  const absent = keys.filter((key) => !statuses.has(key))
  const objects = absent.flatMap((key) =>
    objectives.flatMap((objective) => [
      ...(statuses.get(twin(key)) === 'ok' ? [] : [layout.map(objective, key)]),
      ...(gradients === 'none' ? [] : [layout.gradient(objective, key)]),
    ]),
  )
  for (let i = 0; i < objects.length; i += requestsAtOnce) {
    await Promise.all(objects.slice(i, i + requestsAtOnce).map((object) => output.delete(`${set.id}/${object}`)))
  }
  return absent.length
}

/**
 * The one other key with the same map: `a.jpg` and `a.jpg.png`. While both are there one of them is a failed record
 * (producer/mapCollisions.ts), but the one that stays may have been computed just now.
 */
function twin(key: string): string {
  return key.endsWith('.png') ? key.slice(0, -'.png'.length) : `${key}.png`
}

/** Of those of the keys that the state holds. */
async function statusesOf(
  output: Store,
  set: string,
  state: string,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, TableRow['status']>> {
  const statuses = new Map<string, TableRow['status']>()
  for await (const { key, status } of stateRows(output, set, state, ['key', 'status'])) {
    if (wanted.has(key)) statuses.set(key, status)
  }
  return statuses
}
