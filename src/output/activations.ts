import { z } from 'zod'
import type { ActivationCount } from '../saliency/guidance.ts'
import type { Store } from '../storage/store.ts'
import { parsedJson, printJson } from './jsonObject.ts'
import { layout } from './layout.ts'

/** How many activations of each kind a network has between its image and its outputs, and how many of them are guided. */
export const activationsSchema = z
  .array(z.object({ kind: z.string(), count: z.int().nonnegative(), guided: z.int().nonnegative() }))
  .readonly()

const fileSchema = z.object({ activations: activationsSchema })

/**
 * Puts what follows from a result set's network and options beside the network, where it is not there yet. Not into
 * `set.json`: that is read strictly, and holds choices alone.
 */
export async function putActivations(
  output: Store,
  set: string,
  file: string,
  activations: readonly ActivationCount[],
): Promise<void> {
  const key = layout.activations(set, file)
  if ((await output.head(key)) !== undefined) return
  await output.put(key, printJson({ activations }), { contentType: 'application/json' })
}

/**
 * Undefined for a result set that no version has prepared which counts them, or where another has written something else
 * there: then nothing is said of them.
 */
export async function readActivations(
  output: Store,
  set: string,
  file: string,
): Promise<readonly ActivationCount[] | undefined> {
  const object = await output.get(layout.activations(set, file))
  if (object === undefined) return undefined
  return fileSchema.safeParse(parsedJson(Buffer.from(object.bytes).toString('utf8'))).data?.activations
}
