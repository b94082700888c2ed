import { z } from 'zod'
import { constant, make } from '../../ops.ts'
import {
  assembled,
  chosen,
  found,
  outputSchema,
  startOf,
  startSchema,
  unless,
  type HeadCase,
  type HeadKind,
  type Sourced,
} from './head.ts'
import { rotationAngles, rotationKeys, rotationRows, rotationText, signsOf } from './rotation.ts'
import { anglesOfRotation, components, cross, part, unit } from './rotationGraph.ts'

/** Of a 3DMM's parameters the pose takes the first ones: a matrix of 3 × 4, row by row, scaled, with the translation. */
const count = 12

const twelve = z.array(z.number()).length(count)

const schema = z.strictObject({
  kind: z.literal('pose3dmm'),
  output: outputSchema,
  /** The network gives (parameter − mean) / std. */
  mean: twelve,
  std: twelve,
  start: startSchema,
  signs: rotationKeys.signs,
})
type Pose3dmmHead = z.infer<typeof schema>

/** Files hold the numbers of all 62 parameters; those of shape and expression do not matter. */
const atLeastTwelve = z.array(z.number()).min(count)

interface Pose3dmmGiven {
  readonly mean?: readonly number[] | undefined
  readonly std?: readonly number[] | undefined
  readonly stats?: string | undefined
  readonly start?: number | undefined
  readonly signs?: z.infer<typeof schema>['signs']
}

/**
 * The pose in the whitened parameters of a morphable model, as 3DDFA, 3DDFA_V2 and SynergyNet give them: P = value · std +
 * mean, rows r1 and r2 of P brought to length 1, r3 = r1 × r2 (3DDFA_V2's `P2sRt`), and R = Rx(pitch) · Ry(yaw) · Rz(roll)
 * with the matrices of 300W-LP's and AFLW2000-3D's RotationMatrix.m, so that the angles are those of their labels.
 */
export const pose3dmm = {
  schema,
  given: {
    mean: atLeastTwelve,
    std: atLeastTwelve,
    /** Name of a NumPy file beside the network that holds `mean` and `std`. Whoever reads the network puts the numbers in. */
    stats: z.string().regex(/^[^/\\]+$/, 'a file beside the network is named without a folder'),
  },
  resolve: (known) =>
    assembled<Pose3dmmHead>({
      kind: { value: 'pose3dmm', from: known.kindFrom },
      output: found(known.layer.output),
      mean: statistic(known, 'mean'),
      std: statistic(known, 'std'),
      // Most outputs go on with the parameters of shape and expression, so that their first twelve are meant.
      start: ifPresent(startOf({ ...known, assumed: { start: 0 } }, 'pose3dmm', count)),
      signs: signsOf(known),
    }),
  angles: rotationAngles,
  columns: ({ start = 0 }) => ({ start, count }),
  decode(values, { mean, std, signs }) {
    const p = make('add', [make('mul', [values, constant(std, [1, count])]), constant(mean, [1, count])])
    const [r1, r2] = [unit(part(p, 0, 3)), unit(part(p, 4, 3))]
    // Their axes are headlight's with y and z reversed, so that of the angles in their matrix only pitch is headlight's.
    // 3DDFA_V2's own `matrix2angle` is the tempting wrong choice: it reads another order of the three rotations, and on
    // AFLW2000-3D its angles are off by 17.45° in the mean where these are off by 3.43° (mb05, 159 images).
    const turned = { yaw: opposite(signs?.yaw), pitch: signs?.pitch, roll: opposite(signs?.roll) }
    const rows = [components(r1), components(r2), components(cross(r1, r2))] as const
    return anglesOfRotation(rows, { euler: 'xyz', signs: turned })
  },
  text: (head) => rotationText(head, 'pose of a morphable model (3DMM)', count),
  rows: (head, mark) => [
    ['rotation', `${count} parameters of a morphable model: value · std + mean is a scaled 3 × 4 matrix`],
    ['mean', mark('mean', numbersText(head.mean))],
    ['std', mark('std', numbersText(head.std))],
    ...rotationRows(head, mark),
  ],
} satisfies HeadKind<Pose3dmmHead, Pose3dmmGiven>

function opposite(sign: 1 | -1 = 1): 1 | -1 {
  return sign === 1 ? -1 : 1
}

/** Absent = 0, whether the output goes on or not. */
function ifPresent(start: Sourced<number> | undefined): Sourced<number> | undefined {
  return start && unless(0, start)
}

/** SynergyNet keeps both as buffers `param_mean` and `param_std`; 3DDFA's weights do not have them. */
function statistic({ layer, given, tensors, bad }: HeadCase<Pose3dmmGiven>, name: 'mean' | 'std'): Sourced<number[]> {
  const buffer = [...tensors].find(([key]) => key === `param_${name}` || key.endsWith(`.param_${name}`))?.[1].data
  const stored = buffer && buffer.length >= count ? found([...buffer.subarray(0, count)]) : undefined
  const numbers = chosen(given[name], undefined, undefined)
  if (numbers.value !== undefined) return { ...numbers, value: numbers.value.slice(0, count) }
  if (stored !== undefined) return stored
  throw bad(
    given.stats === undefined
      ? `${layer.output} gives ${layer.outputs} parameters of a morphable model (3DMM), scaled by a mean and a standard deviation that the weights do not hold: ` +
          `put the NumPy file that holds both beside the network (3DDFA_V2: param_mean_std_62d_120x120.pkl of its configs folder) and list ${layer.output} under heads with stats: and the name of that file, or with mean: and std: and ${count} numbers each`
      : `the file ${given.stats} with the mean and std of ${layer.output} was not read: write the ${count} numbers of each instead`,
  )
}

function numbersText(numbers: readonly number[]): string {
  return numbers.map((number) => Number(number.toPrecision(4))).join(', ')
}
