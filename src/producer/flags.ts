import { layout } from '../contract/layout.ts'
import { flagsSchema } from '../contract/run.ts'
import type { Flags } from '../contract/run.ts'
import type { Store } from '../storage/store.ts'
import { getJson, printJson } from '../storage/jsonObject.ts'

/** What people ask of a run. */
export async function readFlags(output: Store, set: string, run: string): Promise<Flags> {
  const flags = await getJson(output, layout.flags(set, run), flagsSchema)
  return flags?.value ?? { paused: false, cancelled: false }
}

/**
 * Asks something of a run. Workers see it within 5 s, its producer sooner. A run is not cancelled back: once `cancelled`
 * is seen by a worker, its shards leave the queue.
 */
export async function changeFlags(output: Store, set: string, run: string, change: Partial<Flags>): Promise<Flags> {
  const before = await readFlags(output, set, run)
  const flags = { ...before, ...change, cancelled: before.cancelled || change.cancelled === true }
  await output.put(layout.flags(set, run), printJson(flags), { contentType: 'application/json' })
  return flags
}
