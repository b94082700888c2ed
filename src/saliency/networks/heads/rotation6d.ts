import { z } from 'zod'
import { assembled, found, type HeadKind } from './head.ts'
import {
  eulerRows,
  eulerText,
  rotationAngles,
  rotationFields,
  rotationGiven,
  rotationKeys,
  rotationText,
  type GivenRotation,
} from './rotation.ts'
import { anglesOfRotation, components, cross, part, transposed, unit } from './rotationGraph.ts'

const schema = z.strictObject({ kind: z.literal('rotation6d'), ...rotationKeys })
type Rotation6dHead = z.infer<typeof schema>

const count = 6

/**
 * Two columns of a rotation matrix, a = output[0…2] and b = output[3…5], made orthonormal: x = a/‖a‖, z = x×b/‖x×b‖,
 * y = z×x, R = [x y z]. Zhou et al. 2019, arXiv 1812.07035, in the form of 6DRepNet (Hempel et al. 2022, arXiv 2202.12555).
 */
export const rotation6d = {
  schema,
  given: rotationGiven,
  resolve: (known) =>
    assembled<Rotation6dHead>({
      kind: { value: 'rotation6d', from: known.kindFrom },
      output: found(known.layer.output),
      ...rotationFields(known, 'rotation6d', count, 'zyx'),
    }),
  angles: rotationAngles,
  columns: ({ start = 0 }) => ({ start, count }),
  decode(values, head) {
    const x = unit(part(values, 0, 3))
    const z = unit(cross(x, part(values, 3, 3)))
    return anglesOfRotation(transposed([components(x), components(cross(z, x)), components(z)]), head)
  },
  text: (head) => rotationText(head, `rotation of 6 numbers, ${eulerText(head.euler)}`, count),
  rows: (head, mark) => [
    ['rotation', '6 numbers: two columns of the matrix, made orthonormal'],
    ...eulerRows(head, mark),
  ],
} satisfies HeadKind<Rotation6dHead, GivenRotation<Rotation6dHead>>
