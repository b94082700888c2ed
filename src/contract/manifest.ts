import { z } from 'zod'
import { digest, resultVersion } from './resultSet.ts'

const box = z.strictObject({ x0: z.number(), y0: z.number(), x1: z.number(), y1: z.number() })
const pose = z.strictObject({ yaw: z.number(), pitch: z.number(), roll: z.number() })

const truthSchema = z.strictObject({
  pose: pose.nullable(),
  box: box.nullable(),
  subject: z.string().nullable(),
  sequence: z.string().nullable(),
  frame: z.string().nullable(),
  fault: z.string().optional(),
})

/** One sample to compute, as a line of a manifest part. `refused` is the code of a sample that cannot be laid out. */
export const manifestEntrySchema = z.strictObject({
  key: z.string(),
  etag: z.string(),
  sizeBytes: z.int().nonnegative(),
  fingerprint: z.string(),
  companions: z.array(z.strictObject({ key: z.string(), etag: z.string() })),
  truth: truthSchema.optional(),
  refused: z.enum(['bad-key', 'key-collision']).optional(),
})
export type ManifestEntry = z.infer<typeof manifestEntrySchema>

/**
 * The first line of a part. A part is PUT once and never rewritten; its shards are the slices
 * `[0, shardSize), [shardSize, 2·shardSize) …` of its entries.
 */
export const manifestHeaderSchema = z.strictObject({
  schema: z.literal(1),
  part: z.int().nonnegative(),
  /** The last key of the listing that this part accounts for (also when that key itself needs no work). */
  through: z.string(),
  count: z.int().nonnegative(),
  shardSize: z.int().positive(),
  /** Samples met while this part was listed that need no work. */
  unchanged: z.int().nonnegative(),
  /** Keys of the state before this run that the dataset no longer holds. */
  gone: z.array(z.string()),
  /** Listed keys that later ones may start with: what a producer needs to see collisions when it lists on. */
  prefixes: z.array(z.string()).optional(),
})
export type ManifestHeader = z.infer<typeof manifestHeaderSchema>

/** `manifest/done`: the listing is complete. */
export const manifestDoneSchema = z.strictObject({
  parts: z.int().nonnegative(),
  toCompute: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  gone: z.int().nonnegative(),
})
export type ManifestDone = z.infer<typeof manifestDoneSchema>

/** Digest of all that decides a sample's record, besides the result set's own options. 16 hex digits. */
export function fingerprint(sample: {
  etag: string
  companions: readonly { key: string; etag: string }[]
  truth?: unknown
}): string {
  return digest([resultVersion, sample.etag, sample.companions, sample.truth ?? null]).slice(0, 16)
}
