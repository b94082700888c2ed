import { z } from 'zod'
import { assembled, found, misfit, outputSchema, type HeadKind } from './head.ts'

const schema = z.strictObject({
  kind: z.literal('classes'),
  output: outputSchema,
  classes: z.int().min(1),
})
type ClassesHead = z.infer<typeof schema>

/** The scores of an ordinary classifier, one per class: no angle. */
export const classes = {
  schema,
  resolve(known) {
    const { layer, given } = known
    if (given.classes !== undefined && given.classes !== layer.outputs) throw misfit(known, 'classes', given.classes)
    return assembled<ClassesHead>({
      kind: { value: 'classes', from: known.kindFrom },
      output: found(layer.output),
      classes: found(layer.outputs),
    })
  },
  angles: () => [],
  columns: ({ classes: count }) => ({ start: 0, count }),
  decode: () => new Map(),
  text: ({ output, classes: count }) => `${output}: ${count} classes`,
  rows: ({ classes: count }, mark) => [['classes', mark('classes', String(count))]],
} satisfies HeadKind<ClassesHead>
