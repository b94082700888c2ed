import { z } from 'zod'
import type { Node } from '../../graph.ts'
import { make, scalar } from '../../ops.ts'
import { assembled, chosen, found, type HeadKind } from './head.ts'
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
import { anglesOfRotation, part, unit } from './rotationGraph.ts'

const schema = z.strictObject({
  kind: z.literal('quaternion'),
  ...rotationKeys,
  /** Where the real part stands. */
  order: z.enum(['wxyz', 'xyzw']),
})
type QuaternionHead = z.infer<typeof schema>

const count = 4

/** A quaternion of any length other than 0, which is brought to length 1. */
export const quaternion = {
  schema,
  given: rotationGiven,
  resolve(known) {
    const { layer, given, assumed, bad } = known
    const order = chosen(given.order, assumed.order, undefined)
    if (order.value === undefined) {
      throw bad(
        `${layer.output} gives a quaternion, and nothing says where its real part stands: add order: wxyz or xyzw`,
      )
    }
    return assembled<QuaternionHead>({
      kind: { value: 'quaternion', from: known.kindFrom },
      output: found(layer.output),
      order: { ...order, value: order.value },
      ...rotationFields(known, 'quaternion', count),
    })
  },
  angles: rotationAngles,
  columns: ({ start = 0 }) => ({ start, count }),
  decode(values, head) {
    const q = unit(values)
    const at = (axis: string) => part(q, head.order.indexOf(axis), 1)
    const [w, x, y, z] = [at('w'), at('x'), at('y'), at('z')]
    const twice = (a: Node, b: Node) => make('mul', [make('mul', [a, b]), scalar(2)])
    const diagonal = (a: Node, b: Node) => make('sub', [make('sub', [scalar(1), twice(a, a)]), twice(b, b)])
    const [xy, xz, yz] = [twice(x, y), twice(x, z), twice(y, z)]
    const [wx, wy, wz] = [twice(w, x), twice(w, y), twice(w, z)]
    return anglesOfRotation(
      [
        [diagonal(y, z), make('sub', [xy, wz]), make('add', [xz, wy])],
        [make('add', [xy, wz]), diagonal(x, z), make('sub', [yz, wx])],
        [make('sub', [xz, wy]), make('add', [yz, wx]), diagonal(x, y)],
      ],
      head,
    )
  },
  text: (head) => rotationText(head, `quaternion ${head.order}, ${eulerText(head.euler)}`, count),
  rows: (head, mark) => [['rotation', mark('order', `quaternion ${head.order}`)], ...eulerRows(head, mark)],
} satisfies HeadKind<QuaternionHead, GivenRotation<QuaternionHead>>
