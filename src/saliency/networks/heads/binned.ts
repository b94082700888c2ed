import { z } from 'zod'
import { yamlValue } from '../../../base/yamlText.ts'
import { constant, make, scalar } from '../../ops.ts'
import {
  angleOf,
  angleSchema,
  assembled,
  chosen,
  degreesText,
  found,
  misfit,
  outputSchema,
  outputText,
  signSchema,
  signText,
  startOf,
  startSchema,
  type HeadKind,
} from './head.ts'

const schema = z.strictObject({
  kind: z.literal('binned'),
  output: outputSchema,
  angle: angleSchema,
  bins: z.int().min(2),
  /** angle = sign · (Σ softmax(logits)·i · step + offset), degrees. */
  step: z.number(),
  offset: z.number(),
  sign: signSchema,
  start: startSchema,
})
type BinnedHead = z.infer<typeof schema>

/**
 * Degrees per bin and the angle of bin 0, by the number of bins, as published networks have them: the origin's (61),
 * Hopenet's (66), WHENet's yaw (120), L2CS-Net's for MPIIGaze (28) and for Gaze360 (90).
 */
const knownBins: Readonly<Record<number, { readonly step: number; readonly offset: number }>> = {
  28: { step: 3, offset: -42 },
  61: { step: 3, offset: -90 },
  62: { step: 3, offset: -93 },
  66: { step: 3, offset: -99 },
  90: { step: 4, offset: -180 },
  120: { step: 3, offset: -180 },
}

/** The expected angle over bins of equal width. Ruiz et al. 2018, arXiv 1710.00925. */
export const binned = {
  schema,
  resolve(known) {
    const { layer, given, assumed, bad } = known
    const angle = angleOf(known)
    const bins = given.bins ?? layer.outputs - (given.start ?? 0)
    if (bins > layer.outputs) throw misfit(known, 'bins', bins)
    if (bins < 2) throw misfit(known, 'bins', 2)
    const meaning = knownBins[bins]
    const step = chosen(given.step, assumed.step, meaning?.step)
    const offset = chosen(given.offset, assumed.offset, meaning?.offset)
    if (step.value === undefined || offset.value === undefined) {
      const numbers = Object.keys(knownBins).join(', ')
      throw bad(
        `${layer.output} has ${bins} bins, and only those of ${numbers.replace(/, (?=\d+$)/, ' and ')} have a known meaning: write heads: [{output: ${yamlValue(layer.output)}, angle: ${angle.value}, step: …, offset: …}], with the degrees per bin and the angle of bin 0, and the other heads alike`,
      )
    }
    return assembled<BinnedHead>({
      kind: { value: 'binned', from: known.kindFrom },
      output: found(layer.output),
      angle,
      bins: bins === layer.outputs ? found(bins) : chosen(given.bins, undefined, bins),
      step: { ...step, value: step.value },
      offset: { ...offset, value: offset.value },
      sign: chosen<1 | -1>(given.sign, assumed.sign, 1),
      start: startOf(known, 'binned', bins),
    })
  },
  angles: ({ angle }) => [angle],
  columns: ({ start, bins }) => ({ start: start ?? 0, count: bins }),
  decode(logits, { angle, bins, step, offset, sign }) {
    const centres = Array.from({ length: bins }, (_, bin) => bin * step * sign)
    const product = make('matmul', [make('softmax', [logits]), constant(centres, [bins, 1])], { transposeB: false })
    return new Map([[angle, make('add', [product, scalar(offset * sign)])]])
  },
  text({ angle, output, start, bins, step, offset, sign }) {
    const reversed = sign === -1 ? ', sign reversed' : ''
    return `${angle}: ${binsText({ bins, step, offset })} (${outputText(output, start, bins)})${reversed}`
  },
  rows({ bins, step, offset, sign }, mark) {
    const last = (bins - 1) * step + offset
    return [
      ['bins', `${bins}, from ${degreesText(offset)} to ${degreesText(last)}; the angle is their mean by softmax`],
      ['step', mark('step', `${degreesText(step)} per bin`)],
      ['offset', mark('offset', degreesText(offset))],
      ['sign', mark('sign', signText(sign))],
    ]
  },
  assumption(head, from) {
    return from('step') === 'default' ? `${head.angle} ${binsText(head)}` : undefined
  },
} satisfies HeadKind<BinnedHead>

/** `66 bins × 3° − 99°` */
function binsText({ bins, step, offset }: Pick<BinnedHead, 'bins' | 'step' | 'offset'>): string {
  return `${bins} bins × ${step}° ${offset < 0 ? '−' : '+'} ${Math.abs(offset)}°`
}
