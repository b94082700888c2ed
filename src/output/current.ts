import { z } from 'zod'
import type { Store } from '../storage/store.ts'
import { getJson, printJson } from './jsonObject.ts'
import { layout } from './layout.ts'

/** `current.json`: names the run whose `angles.parquet` is the state. One PUT of this file publishes a run. */
const currentSchema = z.strictObject({ run: z.string(), publishedAt: z.iso.datetime() })
type Current = z.infer<typeof currentSchema>

/** The run whose table is the state now; null before the first. InputError `bad-layout` when the file is another's. */
export async function currentRun(output: Store, set: string): Promise<string | null> {
  return (await getJson(output, layout.current(set), currentSchema))?.value.run ?? null
}

/** Publishes a run: from now on its table is the state. */
export async function publish(output: Store, set: string, run: string): Promise<void> {
  const current: Current = { run, publishedAt: new Date().toISOString() }
  await output.put(layout.current(set), printJson(current))
}
