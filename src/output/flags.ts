import { z } from 'zod'
import type { Store } from '../storage/store.ts'
import { getJson, printJson } from './jsonObject.ts'
import { layout } from './layout.ts'

/** `runs/<run id>/flags.json`: what people ask of a run; every supervisor reads it every 5 s while it works on the run. */
const flagsSchema = z.strictObject({ paused: z.boolean(), cancelled: z.boolean() })
export type Flags = z.infer<typeof flagsSchema>

/** Of a run of which nobody has asked anything yet. */
export const noFlags: Readonly<Flags> = { paused: false, cancelled: false }

/** What people ask of a run. InputError `bad-layout` when its flags are another's. */
export async function readFlags(output: Store, set: string, run: string): Promise<Flags> {
  return (await getJson(output, layout.flags(set, run), flagsSchema))?.value ?? noFlags
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
