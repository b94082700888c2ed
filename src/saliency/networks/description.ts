import { z } from 'zod'
import { InputError } from '../../base/errors.ts'
import { anglesOf, headOverrideSchema, headSchema } from './heads/kinds.ts'

const spread = z.number().positive()

/** Width and height of what a network sees, pixels. */
export const sideLimits = { least: 8, most: 4096 } as const
const side = z.int().min(sideLimits.least).max(sideLimits.most)

const inputSchema = z.strictObject({
  width: side,
  height: side,
  /**
   * - `shorter-side`: shorter side to the input size, then centre crop (torchvision).
   * - `stretch`: straight to the size, whatever that does to the aspect ratio.
   * - `letterbox`: the whole picture, as large as fits, in the middle of black (albumentations' `LongestMaxSize` and
   *   `PadIfNeeded`; DAD-3DHeads).
   */
  resize: z.enum(['shorter-side', 'stretch', 'letterbox']),
  /**
   * Resized to before `width` × `height` are cut from the centre, pixels: the shorter side (`shorter-side`; torchvision's
   * `Resize(256)`, `CenterCrop(224)`), or both sides (`stretch`). Absent: the input's own size.
   */
  resizeTo: side.optional(),
  /** `opencv`: `cv2.resize` with INTER_LINEAR, which does not smooth where it shrinks. Absent: Pillow's BILINEAR. */
  filter: z.literal('opencv').optional(),
  /** `gray`: one channel, made before resizing as the filter's library makes it (`convert('L')`, `cvtColor`). */
  channels: z.enum(['rgb', 'bgr', 'gray']),
  /**
   * `min-max`: each picture's darkest number, over all channels of what was cut out, becomes 0 and its brightest `range`,
   * before mean and std are applied. Absent: 0 and 255 do.
   */
  normalise: z.literal('min-max').optional(),
  /** What pixel value 255 becomes before mean and std are applied. */
  range: z.number().positive(),
  /** Per channel, in the order of `channels`: input = (pixel / 255 · range − mean) / std. */
  mean: perChannel(z.number()),
  std: perChannel(spread),
})
export type InputDescription = z.infer<typeof inputSchema>

/** How many channels a picture of this order has. */
export function channelsOf(channels: InputDescription['channels']): 1 | 3 {
  return channels === 'gray' ? 1 : 3
}

/** One number for each channel; how many that must be is checked where a description is resolved. */
function perChannel<T extends z.ZodType<number>>(number: T) {
  return z.array(number).min(1).max(3)
}

/** In an override one number may stand for all channels. */
function perChannelOrOne<T extends z.ZodType<number>>(number: T) {
  return z.union([number, perChannel(number)], { error: 'expected one number, or one for each channel' })
}

/** Batch norm's epsilon, which no checkpoint stores. */
const batchNormSchema = z.strictObject({
  epsilon: z.number().positive(),
  /** Of the norms that end an inverted residual (MobileNetV2), where it is another. */
  projectionEpsilon: z.number().positive().optional(),
})

/** What a network expects and means. `<file>.yaml` beside a checkpoint overrides any part of it. */
export const descriptionSchema = z.strictObject({
  input: inputSchema,
  heads: z.array(headSchema).min(1),
  /** Absent where it is PyTorch's 1e-5 everywhere. */
  batchNorm: batchNormSchema.optional(),
})
export type Description = z.infer<typeof descriptionSchema>

/** Whether any angle comes of the network: none does of an ordinary classifier. */
export function givesAngles({ heads }: Pick<Description, 'heads'>): boolean {
  return heads.some((head) => anglesOf(head).length > 0)
}

/** How many classes the network's output of classes has. Raises an error where it has none. */
export function classesOf({ heads }: Description): number {
  const head = heads.find((candidate) => candidate.kind === 'classes')
  if (head?.kind !== 'classes') throw new Error('the network has no output of classes')
  return head.classes
}

/** A description as a result set keeps it. InputError `bad-description` for one of another version. */
export function storedDescription(value: unknown): Description {
  const parsed = descriptionSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new InputError(
    'bad-description',
    'the description of the network in set.json is not one that this version of headlight knows; ' +
      'choose another output, or the version that wrote it',
    { cause: parsed.error },
  )
}

/**
 * What `<file>.yaml` may hold: any part of a description, defaults that are absent when resolved (`filter: pillow`), and
 * other ways to say the same (`scale`). A head is found by its `output`, or by its `angle` where the name of the output
 * tells the angle, or as that of the only output; heads that are not listed stay as they are.
 */
export const overrideSchema = z.strictObject({
  input: inputSchema
    .extend({
      filter: z.enum(['pillow', 'opencv']),
      normalise: z.enum(['fixed', 'min-max']),
      mean: perChannelOrOne(z.number()),
      std: perChannelOrOne(spread),
      /** Instead of `range`, `mean` and `std`: input = pixel · scale + offset, of pixels from 0 to 255. */
      scale: perChannelOrOne(spread),
      offset: perChannelOrOne(z.number()),
    })
    .partial()
    .optional(),
  heads: z.array(headOverrideSchema).optional(),
  batchNorm: batchNormSchema.partial().optional(),
})
export type InputOverride = NonNullable<z.infer<typeof overrideSchema>['input']>
export type DescriptionOverride = z.infer<typeof overrideSchema>

/** Where a description comes from, for people. */
const aboutSchema = z.strictObject({
  /** What it describes, in one line. */
  network: z.string().min(1),
  source: z.url({ protocol: /^https$/ }),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
  /** Of the source, in which the facts stand. */
  files: z.array(z.string().min(1)).optional(),
  /** What part of a photograph the network is shown. */
  faces: z.string().min(1).optional(),
  /** Sentences about what no source says, or several say differently. */
  assumed: z.array(z.string().min(1)).optional(),
})

/** Weights that a description is for. */
const fitSchema = z.strictObject({
  /** `ResNet` */
  family: z.string().min(1),
  /** Of the architecture, such as `ResNet-50`. Absent: any of the family. */
  names: z.array(z.string().min(1)).min(1).optional(),
  /** How many numbers each of these outputs gives; others may be there, too. */
  outputs: z.record(z.string(), z.int().min(1)),
  /** Pixels that the file itself must fix, where names and counts of outputs would fit too much. Absent: it may fix any, or none. */
  width: z.int().min(1).optional(),
  height: z.int().min(1).optional(),
  /** The description that is proposed first where both fit. */
  after: z.string().min(1).optional(),
})
export type Fit = z.infer<typeof fitSchema>

/** A description as a file: what it overrides, and in those of `config/networks/` where that comes from and what it fits. */
export const descriptionFileSchema = overrideSchema.extend({
  about: aboutSchema.optional(),
  fits: z.array(fitSchema).min(1).optional(),
})
export type DescriptionFile = z.infer<typeof descriptionFileSchema>
