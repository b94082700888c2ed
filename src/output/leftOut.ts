import { z } from 'zod'
import { LeftOutTally, type LeftOut } from '../dataset/leftOut.ts'

/** By reason, see `dataset/leftOut.ts`: how many, and the key of one of them. */
export const leftOutSchema = z.record(z.string(), z.object({ count: z.int().positive(), example: z.string() }))

/**
 * `runs/<run id>/left-out.json`: what the listing of a run left out, by the manifest parts during which it was met. Not
 * there when nothing was. It is no part of the manifest, in whose parts older versions take no new field.
 */
export const leftOutFileSchema = z.object({
  schema: z.literal(1),
  parts: z.array(z.object({ part: z.int().nonnegative(), leftOut: leftOutSchema })),
})
export type LeftOutParts = z.infer<typeof leftOutFileSchema>['parts']

/** Of all parts together. */
export function sumOf(parts: LeftOutParts): LeftOut {
  const tally = new LeftOutTally()
  for (const { leftOut } of parts) tally.add(leftOut)
  return tally.counts()
}
