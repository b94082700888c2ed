import { z } from 'zod'

/** How one output of the network becomes one angle. */
const headSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('binned'),
    /** Weight prefix of the head, e.g. `fc_yaw`. */
    output: z.string(),
    angle: z.enum(['yaw', 'pitch', 'roll']),
    bins: z.int().min(2),
    /** angle = sign · (Σ softmax(logits)·i · step + offset), degrees. */
    step: z.number(),
    offset: z.number(),
    sign: z.union([z.literal(1), z.literal(-1)]),
  }),
  z.strictObject({
    kind: z.literal('value'),
    output: z.string(),
    angle: z.enum(['yaw', 'pitch', 'roll']),
    unit: z.enum(['degrees', 'radians']),
    sign: z.union([z.literal(1), z.literal(-1)]),
  }),
  z.strictObject({
    kind: z.literal('classes'),
    output: z.string(),
    classes: z.int().min(1),
  }),
])
export type Head = z.infer<typeof headSchema>

/** What a network expects and means. `<file>.yaml` beside a checkpoint overrides any part of it. */
export const descriptionSchema = z.strictObject({
  input: z.strictObject({
    width: z.int().min(8),
    height: z.int().min(8),
    /** `shorter-side`: shorter side to the input size, then centre crop (torchvision). `stretch`: straight to the size. */
    resize: z.enum(['shorter-side', 'stretch']),
    channels: z.enum(['rgb', 'bgr']),
    /** What pixel value 255 becomes before mean and std are applied. */
    range: z.number().positive(),
    mean: z.tuple([z.number(), z.number(), z.number()]),
    std: z.tuple([z.number(), z.number(), z.number()]),
  }),
  heads: z.array(headSchema).min(1),
})
export type Description = z.infer<typeof descriptionSchema>
