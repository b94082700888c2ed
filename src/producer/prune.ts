import { layout, refuseKey } from '../contract/layout.ts'
import type { ResultSet } from '../contract/resultSet.ts'
import type { Store } from '../storage/store.ts'
import type { Logger } from '../telemetry.ts'
import { Manifest } from './manifest.ts'
import { stateRows } from './stateRows.ts'

export interface PruneOptions {
  readonly output: Store
  readonly set: ResultSet
  /** Its table is the state now. */
  readonly run: string
  readonly log: Logger
}

/** Gone samples looked at together: the state is read once for so many. */
const chunkKeys = 100_000
const deletesAtOnce = 16

/**
 * Removes the maps and gradients of the samples that a run found gone. May be repeated: what is gone already is no
 * error.
 */
export async function pruneGone(options: PruneOptions): Promise<void> {
  const { output, set, run, log } = options
  let chunk: string[] = []
  let pruned = 0
  for await (const { header } of new Manifest(output, set.id, run).parts()) {
    chunk.push(...header.gone)
    if (chunk.length < chunkKeys) continue
    pruned += await pruneChunk(options, chunk)
    chunk = []
  }
  pruned += await pruneChunk(options, chunk)
  if (pruned > 0) log.info({ run, samples: pruned }, 'the maps of samples that are gone have been removed')
}

async function pruneChunk({ output, set, run }: PruneOptions, gone: readonly string[]): Promise<number> {
  // A refused key never had a map, and its path may lead anywhere.
  const keys = gone.filter((key) => refuseKey(key) === undefined)
  if (keys.length === 0) return 0
  const live = await liveKeys(output, set.id, run, new Set(keys.map(twin)))
  const { objectives, gradients } = set.options
  const objects = keys.flatMap((key) =>
    objectives.flatMap((objective) => [
      ...(live.has(twin(key)) ? [] : [layout.map(objective, key)]),
      ...(gradients === 'none' ? [] : [layout.gradient(objective, key)]),
    ]),
  )
  for (let i = 0; i < objects.length; i += deletesAtOnce) {
    await Promise.all(objects.slice(i, i + deletesAtOnce).map((object) => output.delete(`${set.id}/${object}`)))
  }
  return keys.length
}

/**
 * The one other key with the same map: `a.jpg` and `a.jpg.png`. While both are there one of them is a failed record
 * (producer/mapCollisions.ts), but the one that stays may have been computed just now.
 */
function twin(key: string): string {
  return key.endsWith('.png') ? key.slice(0, -'.png'.length) : `${key}.png`
}

/** Those of the keys that the state has a map for. */
async function liveKeys(
  output: Store,
  set: string,
  run: string,
  wanted: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const live = new Set<string>()
  for await (const { key, status } of stateRows(output, set, run, ['key', 'status'])) {
    if (status === 'ok' && wanted.has(key)) live.add(key)
  }
  return live
}
