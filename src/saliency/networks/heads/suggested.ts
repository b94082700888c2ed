import { yamlValue } from '../../../base/yamlText.ts'
import { angleNames, type AngleName } from '../../../pose/euler.ts'
import type { OutputLayer } from '../family.ts'
import type { Provenance } from '../provenance.ts'
import type { Head, HeadOverride } from './kinds.ts'

/** A head that the name and the shape of an output suggest. */
export interface Suggestion {
  readonly kind: Head['kind']
  readonly kindFrom: Provenance
  readonly angle: { readonly value: AngleName; readonly from: Provenance } | undefined
  /** What published networks with such an output mean by it. */
  readonly assumed: HeadOverride
  /** What to say where it is assumed. */
  readonly note?: string
}

/**
 * The heads that an output's name and shape suggest. The names are those of published networks; what only such a name
 * tells is an assumption, and marked as one.
 */
export function suggestedHeads(layer: OutputLayer): readonly Suggestion[] {
  const { output, outputs } = layer
  const told = angleInName(output)
  if (told !== undefined && output.endsWith('_gaze')) {
    // Its training and its arrows take the first output, fc_yaw_gaze, for the horizontal angle, positive to the image's
    // left, whatever the variable is called. Exchanging the two would be the tempting wrong choice.
    const note = "L2CS-Net's code calls the first of them pitch, but turns the gaze sideways by it."
    return [{ ...ofAngle(layer, { value: told, from: 'default' }), ...(told === 'yaw' ? { note } : {}) }]
  }
  if (told !== undefined) return [ofAngle(layer, { value: told, from: 'found in the weights' })]
  const several = anglesInName(layer)
  if (several !== undefined) return several
  const initial = /^(?:.*\.)?(?:fc_(?<hopenet>[ypr])|angle_(?<intel>[ypr])_fc)(?:\.\d+)?$/.exec(output)?.groups
  const [value] = angleNames.filter((name) => name[0] === (initial?.hopenet ?? initial?.intel))
  if (initial !== undefined && value !== undefined) {
    // Intel's network counts yaw and pitch the other way round; hopenet-lite's bins go with headlight's convention.
    const turned = initial.intel !== undefined && outputs === 1 && value !== 'roll'
    return [{ ...ofAngle(layer, { value, from: 'default' }), assumed: turned ? { sign: -1 } : {} }]
  }
  return known(layer) ?? [{ kind: 'classes', kindFrom: 'found in the weights', angle: undefined, assumed: {} }]
}

/**
 * What a description would say of an output whose name tells nothing, if it gave angles; undefined for a number of outputs
 * that only classes have.
 */
export function ifAngles({ output, outputs }: Pick<OutputLayer, 'output' | 'outputs'>): string | undefined {
  const written = yamlValue(output)
  const say = (what: string, ...heads: readonly string[]): string =>
    `if ${output} gives ${what}, say so: heads: [${heads.map((head) => `{output: ${written}, ${head}}`).join(', ')}]`
  switch (outputs) {
    case 1:
      return say('an angle', 'angle: yaw')
    case 3:
      return say('the three angles', ...angleNames.map((angle, index) => `angle: ${angle}, index: ${index}`))
    case 4:
      return say('a quaternion', 'kind: quaternion, order: wxyz, euler: zyx')
    case 6:
      return say('a rotation', 'kind: rotation6d, euler: zyx')
    case 9:
      return say('a rotation matrix', 'kind: matrix, euler: zyx')
    default:
      return undefined
  }
}

/** The angle whose name an output's name holds: `fc_yaw`. */
function angleInName(output: string): AngleName | undefined {
  // Nothing that is called an unrolled or controlled something gives a roll.
  const words = output.toLowerCase().replace(/(?:un|sc|cont|en)roll|roll(?:ed|er|ing|out)/g, '')
  const told = angleNames.filter((name) => words.includes(name))
  return told.length === 1 ? told[0] : undefined
}

/** The three angles in the order in which a name such as `yaw_pitch_roll` has them. */
function anglesInName({ output, outputs }: OutputLayer): Suggestion[] | undefined {
  const name = output.toLowerCase()
  if (outputs !== 3 || !angleNames.every((angle) => name.includes(angle))) return undefined
  return angleNames
    .toSorted((a, b) => name.indexOf(a) - name.indexOf(b))
    .map((value, index) => ({
      kind: 'value',
      kindFrom: 'found in the weights',
      angle: { value, from: 'found in the weights' },
      assumed: { index },
    }))
}

function ofAngle({ outputs }: OutputLayer, angle: Suggestion['angle']): Suggestion {
  return { kind: outputs === 1 ? 'value' : 'binned', kindFrom: 'found in the weights', angle, assumed: {} }
}

/** Outputs with several angles, by the names of published networks. */
function known({ output, outputs }: OutputLayer): Suggestion[] | undefined {
  const rotation = (kind: Head['kind'], assumed: HeadOverride, note: string): Suggestion[] => [
    { kind, kindFrom: 'default', angle: undefined, assumed, note },
  ]
  if (/(?:^|\.)linear_reg(?:\.\d+)?$/.test(output) && (outputs === 6 || outputs === 9)) {
    return outputs === 6
      ? rotation(
          'rotation6d',
          { euler: 'zyx' },
          `The 6 outputs of ${output} are taken as a rotation, as in 6DRepNet (rotation6d, euler zyx).`,
        )
      : rotation(
          'matrix',
          { euler: 'zyx' },
          `The 9 outputs of ${output} are taken as a rotation matrix, row by row, whose angles are read as in 6DRepNet (matrix, euler zyx).`,
        )
  }
  if (/rotation_?matrix$/i.test(output) && outputs === 9) {
    return rotation(
      'matrix',
      { euler: 'zyx' },
      `The 9 outputs of ${output} are taken row by row as a matrix whose angles are read as in 6DRepNet (matrix, euler zyx).`,
    )
  }
  if (/(?:^|\.)fc_param$/.test(output) && outputs === 62) {
    return rotation('pose3dmm', {}, `The first 12 outputs of ${output} are taken as the pose of a 3DMM, as in 3DDFA.`)
  }
  if (/(?:^|\.)classifier_ori(?:\.\d+)?$/.test(output) && outputs === 12) {
    return rotation('pose3dmm', {}, `The 12 outputs of ${output} are taken as the pose of a 3DMM, as in SynergyNet.`)
  }
  if (/(?:^|\.)fc_angles$/.test(output) && outputs === 3) {
    const note = `The 3 outputs of ${output} are taken as yaw, pitch, roll in degrees.`
    return angleNames.map((value, index) => ({
      kind: 'value',
      kindFrom: 'default',
      angle: { value, from: 'default' },
      assumed: { index },
      ...(index === 0 ? { note } : {}),
    }))
  }
  return undefined
}
