import { z } from 'zod'
import { angleNames, type AngleName } from '../../../pose/euler.ts'
import {
  chosen,
  outputSchema,
  outputText,
  signSchema,
  startOf,
  startSchema,
  unless,
  type Given,
  type HeadCase,
  type Mark,
  type Sourced,
} from './head.ts'

// What heads that give a rotation have in common: how yaw, pitch and roll are read in its matrix R.

const eulerSchema = z.enum(['zyx', 'xyz'])
type Euler = z.infer<typeof eulerSchema>

const signsSchema = z.strictObject({
  yaw: signSchema.optional(),
  pitch: signSchema.optional(),
  roll: signSchema.optional(),
})
type Signs = z.infer<typeof signsSchema>

/** Keys of every head that gives a rotation. */
export const rotationKeys = {
  output: outputSchema,
  /**
   * `zyx`: R = Rz(roll) · Ry(yaw) · Rx(pitch), as 6DRepNet turns 300W-LP's labels into matrices. `xyz`: R = Rx(−pitch) ·
   * Ry(yaw) · Rz(roll) in camera coordinates (x right, y down, z away from the camera), as BIWI's files hold it.
   */
  euler: eulerSchema,
  /** Whether the numbers are those of R's transpose; absent = no. */
  transpose: z.literal(true).optional(),
  start: startSchema,
  /** −1 for an angle that counts the other way round; absent = all as they are. */
  signs: signsSchema.optional(),
}

/** In an override a plain `false` may be said as well. */
export const rotationGiven = { transpose: z.boolean() }

/** What an override may say of a head that gives a rotation. */
export type GivenRotation<H> = Omit<Given<H>, 'transpose'> & { readonly transpose?: boolean | undefined }

interface RotationCase {
  readonly euler?: Euler | undefined
  readonly transpose?: boolean | undefined
  readonly start?: number | undefined
  readonly signs?: Signs | undefined
}

/**
 * The fields of a head of `kind` that reads `count` numbers as a rotation, in the order of a description. `euler` is the
 * order of the angles where nothing tells it. InputError `bad-description`.
 */
export function rotationFields(known: HeadCase<RotationCase>, kind: string, count: number, euler?: Euler) {
  return {
    euler: eulerOf(known, euler),
    transpose: transposeOf(known),
    start: startOf(known, kind, count),
    signs: signsOf(known),
  }
}

/** InputError `bad-description` where neither the override nor the name says how the angles lie in the matrix. */
function eulerOf({ layer, given, assumed, bad }: HeadCase<RotationCase>, otherwise?: Euler): Sourced<Euler> {
  const { value, from } = chosen(given.euler, assumed.euler, otherwise)
  if (value !== undefined) return { value, from }
  throw bad(
    `${layer.output} gives a rotation, and nothing says how to read its angles: add euler: zyx (6DRepNet and networks like it) or euler: xyz (BIWI's matrices)`,
  )
}

function transposeOf({ given, assumed }: HeadCase<RotationCase>): Sourced<true> | undefined {
  const { value, from } = chosen(given.transpose, assumed.transpose, false)
  return value ? { value, from } : undefined
}

export function signsOf({ given, assumed }: HeadCase<Pick<RotationCase, 'signs'>>): Sourced<Signs> | undefined {
  const { value, from } = chosen(given.signs, assumed.signs, {})
  const turned = turnedAngles(value)
  const signs: Signs = Object.fromEntries(turned.map((name) => [name, -1]))
  return unless(undefined, { value: turned.length === 0 ? undefined : signs, from })
}

/** The angles that count the other way round. */
function turnedAngles(signs: Signs = {}): AngleName[] {
  return angleNames.filter((name) => signs[name] === -1)
}

interface RotationHead {
  readonly output: string
  readonly start?: number | undefined
  readonly signs?: Signs | undefined
  readonly transpose?: true | undefined
}

export const rotationAngles = (): readonly AngleName[] => angleNames

export function rotationText(head: RotationHead, what: string, count: number): string {
  const details = [
    ...(head.transpose ? ['transposed'] : []),
    ...turnedAngles(head.signs).map((name) => `sign of ${name} reversed`),
  ]
  const more = details.length > 0 ? `, ${details.join(', ')}` : ''
  return `yaw, pitch, roll: ${what} (${outputText(head.output, head.start, count)})${more}`
}

export function eulerRows(head: RotationHead & { readonly euler: Euler }, mark: Mark): (readonly [string, string])[] {
  return [['euler', mark('euler', eulerText(head.euler))], ...rotationRows(head, mark)]
}

export function rotationRows(head: RotationHead, mark: Mark): (readonly [string, string])[] {
  const turned = turnedAngles(head.signs)
  return [
    ...(head.transpose ? [['transpose', mark('transpose', 'the numbers are those of the transpose')] as const] : []),
    ...(turned.length > 0 ? [['signs', mark('signs', `${turned.join(', ')} reversed`)] as const] : []),
  ]
}

/** `Rz(roll) · Ry(yaw) · Rx(pitch)`, for people. */
export function eulerText(euler: Euler): string {
  return euler === 'zyx' ? 'zyx: R = Rz(roll) · Ry(yaw) · Rx(pitch)' : 'xyz: R = Rx(−pitch) · Ry(yaw) · Rz(roll)'
}
