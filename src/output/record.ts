import { z } from 'zod'

const degrees = z.number()

/** What one objective left behind for one sample. */
const objectiveRecordSchema = z.strictObject({
  /** Key of the map below the result set. */
  map: z.string(),
  /** Key of the stored gradient below the result set; null unless `--gradients` asked for it. */
  gradient: z.string().nullable(),
  /** Mean, population standard deviation and max |g| of the gradient, degrees per unit of normalised input. */
  gradientMean: z.number(),
  gradientStd: z.number(),
  gradientMaxAbs: z.number(),
})

/** What a binned head says beyond its angle. Null for heads that give a plain value. */
const binnedHeadSchema = z.strictObject({
  topBin: z.int(),
  topProbability: z.number(),
  /** Standard deviation of the bin distribution, degrees. */
  binsStd: degrees,
  /** Entropy of the bin distribution, nats. */
  binsEntropy: z.number(),
})

const angles = z.strictObject({ yaw: degrees, pitch: degrees, roll: degrees })
const nullableAngles = z.strictObject({
  yaw: degrees.nullable(),
  pitch: degrees.nullable(),
  roll: degrees.nullable(),
})

const common = {
  key: z.string(),
  fingerprint: z.string(),
}

/**
 * One line of a shard's record file: a sample that was computed, or why it failed. A record depends on the image, the
 * network and the options alone. Who computed it, where and how long it took goes into the job's return value instead:
 * otherwise a disturbed run could not be byte-identical to a quiet one.
 *
 * `tableRow` flattens a record into the columns of `angles.parquet`; the two hold the same facts.
 */
export const recordSchema = z.discriminatedUnion('status', [
  z.strictObject({
    ...common,
    status: z.literal('ok'),
    /** Estimates; an angle that the network has no head for is null. */
    angles: nullableAngles,
    label: angles.nullable(),
    /** Estimate − label wrapped to [−180, 180), signed. */
    error: nullableAngles.nullable(),
    bins: z.strictObject({
      yaw: binnedHeadSchema.nullable(),
      pitch: binnedHeadSchema.nullable(),
      roll: binnedHeadSchema.nullable(),
    }),
    imageWidth: z.int(),
    imageHeight: z.int(),
    /** The rectangle of the image (x0, y0, x1, y1, image pixels, fractional) that the network's input shows. */
    crop: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    subject: z.string().nullable(),
    sequence: z.string().nullable(),
    frame: z.string().nullable(),
    /** The name of the face, where samples are faces in an image. */
    face: z.string().optional(),
    /** The index of its class; absent where none is named. */
    class: z.int().nonnegative().optional(),
    /** The likeliest class and its softmax probability; only with an objective `class:top` or `class:label`. */
    topClass: z.int().nonnegative().optional(),
    topClassProbability: z.number().optional(),
    /** Why the label cannot be used; absent where it can, or there is none. */
    labelFault: z.string().optional(),
    /** By objective, in the order of the result set's options. */
    objectives: z.record(z.string(), objectiveRecordSchema),
    /** Only with `--logits`: per head the raw outputs. */
    logits: z.record(z.string(), z.array(z.number())).optional(),
  }),
  z.strictObject({
    ...common,
    status: z.literal('failed'),
    code: z.string(),
    message: z.string(),
  }),
])
export type Record = z.infer<typeof recordSchema>
export type OkRecord = Extract<Record, { status: 'ok' }>

/** Failed records with these codes are tried again by the next run; all others stand until the object changes. */
export const retriedCodes: ReadonlySet<string> = new Set([
  'unavailable',
  'archived',
  'vanished',
  'changed',
  'hangs-unit',
])
