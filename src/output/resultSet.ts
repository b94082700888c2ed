import { createHash } from 'node:crypto'
import { z } from 'zod'
import { adapterOptionsSchema } from '../dataset/adapters.ts'
import { gradientChoices, mapStyles, scopes } from '../saliency/choices.ts'
import type { Store } from '../storage/store.ts'
import { getJson, printJson } from './jsonObject.ts'
import { layout } from './layout.ts'

/** Raised when a change of the code alters results; part of every fingerprint and of the result set's digest. */
export const resultVersion = 1

/** Every choice that changes a record or a map. Equal choices share one result set; anything else makes another. */
const resultOptionsSchema = z.strictObject({
  objectives: z.array(z.string()).min(1),
  scope: z.enum(scopes),
  /** Absent where ReLU6 is guided, as it is by default. */
  relu6: z.literal('plain').optional(),
  style: z.enum(mapStyles),
  gradients: z.enum(gradientChoices),
  logits: z.boolean(),
  adapter: adapterOptionsSchema,
  maxPixels: z.int().positive(),
})
export type ResultOptions = z.infer<typeof resultOptionsSchema>

/** `set.json`: all that made a result set, enough for a worker that knows nothing else. */
const resultSetSchema = z.strictObject({
  schema: z.literal(1),
  id: z.string(),
  resultVersion: z.int(),
  dataset: z.strictObject({ uri: z.string(), endpoint: z.string().nullable() }),
  network: z.strictObject({
    /** File name below `network/`. */
    file: z.string(),
    /** SHA-256 of the file, hex. */
    digest: z.string(),
    /**
     * The second file below `network/`, where an ONNX network keeps its weights in one; SHA-256 of it, hex. Versions that do
     * not know this field stop at it, and could not open such a network.
     */
    externalData: z.strictObject({ file: z.string(), digest: z.string() }).optional(),
    /** The resolved description (see saliency/networks/description.ts), as plain data. */
    description: z.unknown(),
  }),
  options: resultOptionsSchema,
  headlightVersion: z.string(),
  createdAt: z.iso.datetime(),
})
export type ResultSet = z.infer<typeof resultSetSchema>

/** The ids of the result sets in an output, in their order. What else lies there is not ours. */
export async function* resultSetIds(output: Store): AsyncGenerator<string> {
  for await (const set of output.folders('')) {
    if ((await output.head(layout.set(set))) !== undefined) yield set
  }
}

/** The result sets in an output by folder, in their order. InputError `bad-layout` when a `set.json` is another's. */
export async function* readResultSets(output: Store): AsyncGenerator<{ id: string; set: ResultSet }> {
  for await (const id of output.folders('')) {
    const set = await readResultSet(output, id)
    if (set !== undefined) yield { id, set }
  }
}

/** Undefined when the result set is not there. InputError `bad-layout` when its `set.json` is another's. */
export async function readResultSet(output: Store, set: string): Promise<ResultSet | undefined> {
  return (await getJson(output, layout.set(set), resultSetSchema))?.value
}

/** Puts `set.json`; false when another did so first, where the store can tell. */
export async function putResultSet(output: Store, set: ResultSet): Promise<boolean> {
  const options = (await output.conditionalPut()) ? { ifAbsent: true } : {}
  return (await output.put(layout.set(set.id), printJson(set), options)) !== false
}

/** `<network name>-<scope>-<digest8>`: the same choices always give the same folder. */
export function resultSetId(set: Omit<ResultSet, 'id' | 'headlightVersion' | 'createdAt' | 'schema'>): string {
  const name = set.network.file.replace(/\.[^.]*$/, '').replace(/[^A-Za-z0-9._-]+/g, '_') || 'network'
  const { digest: networkDigest, externalData, description } = set.network
  // Without the weights' own digest a network that was trained anew under an unchanged graph would take over the old maps.
  const weights = externalData === undefined ? [] : [externalData.digest]
  const made = [set.resultVersion, set.dataset.uri, networkDigest, description, set.options, ...weights]
  return `${name}-${set.options.scope}-${digest(made).slice(0, 8)}`
}

/** SHA-256 in hex of a JSON value, independent of the order of object keys. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

/** Members sorted by name, without spaces: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
