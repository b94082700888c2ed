import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Store } from '../storage/store.ts'
import { anothers, parsedJson } from './jsonObject.ts'
import { layout } from './layout.ts'

/** Pictures by names that say what they were drawn from, and how. */
export type ReportPictures = ReadonlyMap<string, Uint8Array>

const indexSchema = z.strictObject({
  schema: z.literal(1),
  /** In the order of their bytes. */
  pictures: z.array(z.strictObject({ name: z.string(), sizeBytes: z.int().nonnegative() })),
})

const magic = Buffer.from('HLRP')
const digestBytes = 32
const lengthBytes = 4
const headBytes = magic.byteLength + digestBytes

/**
 * Puts `report/pictures.bin`: `HLRP`, the SHA-256 of all that follows, the length of the index in 4 bytes (little-endian),
 * the index as JSON, and the pictures one after the other. One object, since a request each would cost more than they do.
 */
export async function putReportPictures(output: Store, set: string, pictures: ReportPictures): Promise<void> {
  const names = [...pictures.keys()].sort()
  const bodies = names.map((name) => pictures.get(name) ?? new Uint8Array())
  const entries = names.map((name, i) => ({ name, sizeBytes: bodies[i]?.byteLength ?? 0 }))
  const index = Buffer.from(JSON.stringify({ schema: 1, pictures: entries }))
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32LE(index.byteLength)
  const content = Buffer.concat([length, index, ...bodies])
  await output.put(layout.reportPictures(set), Buffer.concat([magic, digestOf(content), content]))
}

/** Undefined when there are none. InputError `bad-layout` when they are damaged, or another version's. */
export async function readReportPictures(output: Store, set: string): Promise<ReportPictures | undefined> {
  const key = layout.reportPictures(set)
  const object = await output.get(key)
  if (object === undefined) return undefined
  const place = `${output.uri}${key}`
  const { buffer, byteOffset, byteLength } = object.bytes
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  const content = bytes.subarray(headBytes)
  const isWhole =
    content.byteLength >= lengthBytes &&
    bytes.subarray(0, magic.byteLength).equals(magic) &&
    bytes.subarray(magic.byteLength, headBytes).equals(digestOf(content))
  if (!isWhole) throw anothers(place, undefined)
  let at = lengthBytes + content.readUInt32LE(0)
  const parsed = indexSchema.safeParse(parsedJson(content.toString('utf8', lengthBytes, at)))
  if (!parsed.success) throw anothers(place, parsed.error)
  const pictures = new Map<string, Uint8Array>()
  for (const { name, sizeBytes } of parsed.data.pictures) {
    pictures.set(name, content.subarray(at, at + sizeBytes))
    at += sizeBytes
  }
  if (at !== content.byteLength) throw anothers(place, undefined)
  return pictures
}

function digestOf(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest()
}
