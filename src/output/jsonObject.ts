import type { z } from 'zod'
import { InputError } from '../base/errors.ts'
import type { Store } from '../storage/store.ts'

/** Reads a JSON object of the output store; undefined when it is not there. InputError `bad-layout` when it is another's. */
export async function getJson<Schema extends z.ZodType>(
  store: Store,
  key: string,
  schema: Schema,
): Promise<{ value: z.output<Schema>; etag: string } | undefined> {
  const object = await store.get(key)
  if (object === undefined) return undefined
  const parsed = schema.safeParse(parsedJson(Buffer.from(object.bytes).toString('utf8')))
  if (!parsed.success) throw anothers(`${store.uri}${key}`, parsed.error)
  return { value: parsed.data, etag: object.info.etag }
}

/** InputError `bad-layout` for what lies at a place of ours and cannot be read. */
export function anothers(place: string, cause: unknown): InputError {
  const message =
    `${place} is not what this version of headlight writes there; ` +
    'choose another output, or the version that wrote it'
  return new InputError('bad-layout', message, { cause })
}

/** A line of JSON in an object of ours. InputError `bad-layout` when it is none of this schema. */
export function parseLine<Schema extends z.ZodType>(
  text: string | undefined,
  schema: Schema,
  place: () => string,
): z.output<Schema> {
  const parsed = schema.safeParse(parsedJson(text ?? ''))
  if (!parsed.success) throw anothers(place(), parsed.error)
  return parsed.data
}

/** JSON for people and programs alike: two spaces, a line feed at the end. */
export function printJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/**
 * Puts an object that is written once. Where it is there already with the same bytes (the answer to an earlier PUT was
 * lost), that is as good; with other bytes someone else writes here, and the caller's run must stop.
 */
export async function putOnce(store: Store, key: string, bytes: Uint8Array | string): Promise<void> {
  if (!(await store.conditionalPut())) {
    await store.put(key, bytes)
    return
  }
  if ((await store.put(key, bytes, { ifAbsent: true })) !== false) return
  const present = await store.get(key)
  if (present !== undefined && Buffer.from(bytes).equals(present.bytes)) return
  throw new InputError('held', `${store.uri}${key} was written by another run meanwhile; wait for it, then start again`)
}

/** What JSON text says; undefined where it is no JSON, which a schema then refuses. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
