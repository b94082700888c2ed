import { z } from 'zod'
import { make, scalar } from '../../ops.ts'
import {
  angleOf,
  angleSchema,
  assembled,
  chosen,
  found,
  misfit,
  outputSchema,
  outputText,
  signSchema,
  signText,
  unless,
  type HeadKind,
} from './head.ts'

const schema = z.strictObject({
  kind: z.literal('value'),
  output: outputSchema,
  angle: angleSchema,
  /** angle = sign · (value · scale + offset), in `unit`. */
  unit: z.enum(['degrees', 'radians']),
  sign: signSchema,
  /** Absent = 1. */
  scale: z.number().optional(),
  /** Absent = 0. */
  offset: z.number().optional(),
  /** Which number of an output of several. */
  index: z.int().min(0).optional(),
})
type ValueHead = z.infer<typeof schema>

/** One number that is the angle itself, in degrees or radians, or on a scale of its own such as 0 to 1. */
export const value = {
  schema,
  resolve(known) {
    const { layer, given, assumed, bad } = known
    const angle = angleOf(known)
    const index = given.index ?? assumed.index
    if (index === undefined && layer.outputs !== 1) throw misfit(known, 'value', 1)
    if (index !== undefined && index >= layer.outputs) {
      throw bad(`${layer.output} has ${layer.outputs} outputs in the file (0 to ${layer.outputs - 1}), and no ${index}`)
    }
    return assembled<ValueHead>({
      kind: { value: 'value', from: known.kindFrom },
      output: found(layer.output),
      angle,
      unit: chosen<'degrees' | 'radians'>(given.unit, assumed.unit, 'degrees'),
      sign: chosen<1 | -1>(given.sign, assumed.sign, 1),
      scale: unless(1, chosen(given.scale, assumed.scale, 1)),
      offset: unless(0, chosen(given.offset, assumed.offset, 0)),
      index: layer.outputs === 1 ? undefined : chosen(given.index, assumed.index, 0),
    })
  },
  angles: ({ angle }) => [angle],
  columns: ({ index }) => ({ start: index ?? 0, count: 1 }),
  decode(raw, { angle, unit, sign, scale = 1, offset = 0 }) {
    const toDegrees = sign * (unit === 'radians' ? 180 / Math.PI : 1)
    const scaled = toDegrees * scale === 1 ? raw : make('mul', [raw, scalar(toDegrees * scale)])
    return new Map([[angle, offset === 0 ? scaled : make('add', [scaled, scalar(toDegrees * offset)])]])
  },
  text(head) {
    const { angle, unit, output, index, sign } = head
    const formula = formulaText(head)
    return `${angle}: one value in ${unit} (${outputText(output, index, 1)})${formula === '' ? '' : `, ${formula}`}${sign === -1 ? ', sign reversed' : ''}`
  },
  assumption({ angle, unit, sign }, from) {
    const turned = from('sign') === 'default' && sign === -1 ? ' with its sign reversed' : ''
    // A kind that is a default tells of the unit in its own note.
    const inUnit = from('unit') === 'default' && from('kind') !== 'default' ? ` in ${unit}` : ''
    return inUnit + turned === '' ? undefined : `${angle}${inUnit}${turned}`
  },
  rows(head, mark) {
    const formula = formulaText(head)
    const key = head.scale === undefined ? 'offset' : 'scale'
    return [
      ['unit', mark('unit', head.unit)],
      ...(formula === '' ? [] : [['scale', mark(key, formula)] as const]),
      ['sign', mark('sign', signText(head.sign))],
    ]
  },
} satisfies HeadKind<ValueHead>

function formulaText({ scale = 1, offset = 0 }: ValueHead): string {
  const scaled = scale === 1 ? '' : ` × ${scale}`
  const moved = offset === 0 ? '' : ` ${offset < 0 ? '−' : '+'} ${Math.abs(offset)}`
  return scaled === '' && moved === '' ? '' : `value${scaled}${moved}`
}
