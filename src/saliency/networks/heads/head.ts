import { z } from 'zod'
import type { InputError } from '../../../base/errors.ts'
import type { AngleName } from '../../../pose/euler.ts'
import type { Node } from '../../graph.ts'
import type { Tensors } from '../../weights/tensors.ts'
import type { OutputLayer } from '../family.ts'
import type { Provenance } from '../provenance.ts'

// What every kind of head is made of. Each kind is one file beside this one, and `kinds.ts` lists them.

export const angleSchema = z.enum(['yaw', 'pitch', 'roll'])
export const signSchema = z.union([z.literal(1), z.literal(-1)], { error: 'expected 1 or -1' })
/** Weight prefix of the layer whose numbers a head reads, e.g. `fc_yaw`. */
export const outputSchema = z.string()
/** The first of the output's numbers that a head reads; absent where it reads the whole output. */
export const startSchema = z.int().min(0).optional()

/** The numbers of an output that a head reads. */
export interface Columns {
  readonly start: number
  readonly count: number
}

/** A value of a description and where it comes from. */
export interface Sourced<T> {
  readonly value: T
  readonly from: Provenance
}

export interface ResolvedHead<H> {
  readonly head: H
  /** By key of the head. */
  readonly from: Readonly<Record<string, Provenance>>
}

type HeadBase = { readonly kind: string; readonly output: string }

/** What an override may say of a head: any of its keys. */
export type Given<H> = { readonly [K in Exclude<keyof H, 'kind' | 'output'>]?: H[K] | undefined }

/** A head to be resolved: its layer, and what is known of it besides. */
export interface HeadCase<G> {
  readonly layer: OutputLayer
  /** What an override says. */
  readonly given: G
  /** What the layer's name and shape suggest, where nothing is said. */
  readonly assumed: G
  readonly kindFrom: Provenance
  /** Undefined where neither an override nor the name tells it. */
  readonly angle: Sourced<AngleName> | undefined
  /** Every tensor of the file, also those that no layer takes. */
  readonly tensors: Tensors
  /** InputError `bad-description` about this network. */
  readonly bad: (what: string) => InputError
}

/** Marks a text of `network inspect` with where its key comes from. */
export type Mark = (key: string, text: string) => string

/**
 * One way to read angles, or classes, in the numbers of an output. `H` is the head in a resolved description, `G` what an
 * override may say of it.
 */
export interface HeadKind<H extends HeadBase, G = Given<H>> {
  /** Of the head in a resolved description. Keys are absent at their defaults, so that ids of result sets stay. */
  readonly schema: z.ZodObject
  /** Keys that only an override may have. */
  readonly given?: Readonly<Record<string, z.ZodType>>
  /** The whole head from what is given, found and assumed. InputError `bad-description`. */
  resolve(known: HeadCase<G>): ResolvedHead<H>
  /** The angles that it gives; none for classes. */
  angles(head: H): readonly AngleName[]
  columns(head: H): Columns
  /** The angles that it gives in degrees and headlight's convention, N×1 each. `values`: its columns, N×count. */
  decode(values: Node, head: H): ReadonlyMap<AngleName, Node>
  /** One line for the report. */
  text(head: H): string
  /** Lines of `network inspect`, below the one that names the output. */
  rows(head: H, mark: Mark): (readonly [name: string, text: string])[]
  /** What was assumed about it, in few words: for the line that a run begins with. */
  assumption?(head: H, from: (key: string) => Provenance | undefined): string | undefined
}

/** What was given, else what the name suggests, else the default; marked as such. */
export function chosen<T>(given: T | undefined, assumed: T | undefined, otherwise: T): Sourced<T> {
  return given === undefined ? { value: assumed ?? otherwise, from: 'default' } : { value: given, from: 'given' }
}

export function found<T>(value: T): Sourced<T> {
  return { value, from: 'found in the weights' }
}

/** Keys that a resolved description leaves out at their default. */
export function unless<T>(standard: T, sourced: Sourced<T>): Sourced<NonNullable<T>> | undefined {
  const { value, from } = sourced
  return value === standard || value === undefined || value === null ? undefined : { value, from }
}

type Fields<H> = {
  readonly [K in keyof Required<H>]: Sourced<Exclude<H[K], undefined>> | (undefined extends H[K] ? undefined : never)
}

/** A head and its provenance from its fields, in their order. */
export function assembled<H extends HeadBase>(fields: Fields<H>): ResolvedHead<H> {
  const present = Object.entries<Sourced<unknown> | undefined>(fields).flatMap(([key, field]) =>
    field === undefined ? [] : [[key, field] as const],
  )
  return {
    head: Object.fromEntries(present.map(([key, { value }]) => [key, value])) as H,
    from: Object.fromEntries(present.map(([key, { from }]) => [key, from])),
  }
}

/** The angle of a head that gives one. InputError `bad-description` where nothing tells it. */
export function angleOf({ layer, angle, bad }: HeadCase<unknown>): Sourced<AngleName> {
  if (angle === undefined) throw bad(`the angle of ${layer.output} is missing: add angle: yaw, pitch or roll`)
  return angle
}

/** `start` of a head that reads `count` numbers of its layer; absent where these are all. InputError `bad-description`. */
export function startOf(
  { layer, given, assumed, bad }: HeadCase<{ readonly start?: number | undefined }>,
  kind: string,
  count: number,
): Sourced<number> | undefined {
  const start = chosen(given.start, assumed.start, 0)
  if (start.from === 'default' && assumed.start === undefined && layer.outputs !== count) {
    throw bad(
      `${layer.output} has ${layer.outputs} outputs in the file, and a head of kind ${kind} reads ${count}: ` +
        (layer.outputs > count ? 'add start, the first of them' : 'name another output or kind'),
    )
  }
  if (start.value + count > layer.outputs) {
    throw bad(
      `${layer.output} has ${layer.outputs} outputs in the file (0 to ${layer.outputs - 1}), and ${kind} would read ` +
        `${start.value} to ${start.value + count - 1}`,
    )
  }
  return layer.outputs === count ? undefined : start
}

export function misfit({ layer, bad }: HeadCase<unknown>, what: string, said: number): InputError {
  return bad(`${layer.output} has ${layer.outputs} outputs in the file, which does not fit ${what}: ${said}`)
}

/** `heads[5…10]` of an output, for people; its name alone where a head reads all of it. */
export function outputText(output: string, start: number | undefined, count: number): string {
  if (start === undefined) return output
  return count === 1 ? `${output}[${start}]` : `${output}[${start}…${start + count - 1}]`
}

export function degreesText(value: number): string {
  return `${String(value).replace('-', '−')}°`
}

export function signText(sign: 1 | -1): string {
  return sign === 1 ? 'as is' : 'reversed'
}
