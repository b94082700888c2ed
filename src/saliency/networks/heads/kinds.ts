import { z } from 'zod'
import type { AngleName } from '../../../pose/euler.ts'
import { binned } from './binned.ts'
import { classes } from './classes.ts'
import { angleSchema, outputSchema, type HeadKind } from './head.ts'
import { matrix } from './matrix.ts'
import { pose3dmm } from './pose3dmm.ts'
import { quaternion } from './quaternion.ts'
import { rotation6d } from './rotation6d.ts'
import { value } from './value.ts'

/** Every kind of head. A new one is its own file and an entry here, and its keys are added to `headOverrideSchema`. */
const kinds = { binned, value, rotation6d, matrix, quaternion, pose3dmm, classes }

const { binned: first, ...others } = kinds

/** How numbers of one output of the network become angles, or classes. */
export const headSchema = z.discriminatedUnion('kind', [
  first.schema,
  ...Object.values(others).map(({ schema }) => schema),
])
export type Head = z.infer<typeof headSchema>

const byKind: { readonly [K in Head['kind']]: HeadKind<Extract<Head, { kind: K }>, HeadOverride> } = kinds

/** Tensors of ONNX files are called by numbers now and then, which YAML reads as such. */
function numberAsText(value: unknown): unknown {
  return Number.isSafeInteger(value) ? String(value) : value
}

/** What a description file may say of a head: some of the keys of its kind. */
export const headOverrideSchema = z
  .strictObject({
    ...binned.schema.shape,
    ...value.schema.shape,
    ...rotation6d.schema.shape,
    ...matrix.schema.shape,
    ...quaternion.schema.shape,
    ...pose3dmm.schema.shape,
    ...classes.schema.shape,
    ...rotation6d.given,
    ...pose3dmm.given,
    output: z.preprocess(numberAsText, outputSchema),
    angle: angleSchema,
    kind: z.enum(Object.keys(kinds) as Head['kind'][]),
  })
  .partial()
export type HeadOverride = z.infer<typeof headOverrideSchema>

/** The kind of a head, to be called with this very head. */
export function kindOf<K extends Head['kind']>(kind: K): HeadKind<Extract<Head, { kind: K }>, HeadOverride> {
  return byKind[kind]
}

/** The angles that a head gives; none for classes. */
export function anglesOf(head: Head): readonly AngleName[] {
  return kindOf(head.kind).angles(head)
}

/**
 * The name under which the raw numbers of a head's output are kept: its angle; `classes`; the output's own name where it
 * gives several angles.
 */
export function outputKey(head: Head, heads: readonly Head[]): string {
  if (head.kind === 'classes') return 'classes'
  const [angle, ...more] = heads.filter(({ output }) => output === head.output).flatMap(anglesOf)
  return angle === undefined || more.length > 0 ? head.output : angle
}

/** The keys that an override may give for a head of this kind, besides `kind` and `output`. */
export function keysOf(kind: Head['kind']): string[] {
  const { schema, given } = byKind[kind]
  return Object.keys({ ...schema.shape, ...given }).filter((key) => key !== 'kind' && key !== 'output')
}
