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
import { anglesOfRotation, components, part } from './rotationGraph.ts'

const schema = z.strictObject({ kind: z.literal('matrix'), ...rotationKeys })
type MatrixHead = z.infer<typeof schema>

const count = 9

/** A whole rotation matrix, row by row. The angles do not depend on its scale. */
export const matrix = {
  schema,
  given: rotationGiven,
  resolve: (known) =>
    assembled<MatrixHead>({
      kind: { value: 'matrix', from: known.kindFrom },
      output: found(known.layer.output),
      ...rotationFields(known, 'matrix', count),
    }),
  angles: rotationAngles,
  columns: ({ start = 0 }) => ({ start, count }),
  decode(values, head) {
    const row = (index: number) => components(part(values, 3 * index, 3))
    return anglesOfRotation([row(0), row(1), row(2)], head)
  },
  text: (head) => rotationText(head, `rotation matrix, ${eulerText(head.euler)}`, count),
  rows: (head, mark) => [['rotation', '9 numbers: the matrix, row by row'], ...eulerRows(head, mark)],
} satisfies HeadKind<MatrixHead, GivenRotation<MatrixHead>>
