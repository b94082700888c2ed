import { describe, expect, it } from 'vitest'
import { float, floats, importedCase, ints, weights, type OnnxCase, type Step } from '../../../support/onnxCase.ts'

/** What the sentence says of `y` after “it needs”; undefined where it can be computed. */
function why(found: OnnxCase): string | undefined {
  const value = importedCase(found).get('y')
  if (value === undefined) throw new Error('no y')
  return value.kind === 'unavailable' ? value.why : undefined
}

const sentence = (operator: string, what: string): string =>
  `${operator} "y" with ${what}, which headlight does not compute`

const norm: Step[1] = ['x', weights(3), weights(3), weights(3), floats(1, 1, 1)]
const resize = (attributes: NonNullable<Step[3]>): OnnxCase => ({
  x: [1, 3, 4, 4],
  opset: 18,
  steps: [['Resize', ['x', '', floats(1, 1, 1.5, 1.5)], 'y', attributes]],
})

describe('what is not computed is refused', () => {
  it.each<[title: string, step: Step, what: string, opset?: number]>([
    [
      'a batch norm in training',
      ['BatchNormalization', norm, 'y', { training_mode: 1 }],
      'training_mode: export the network after model.eval()',
    ],
    [
      'a batch norm in training, of operator set 9',
      ['BatchNormalization', norm, ['y', 'mean', 'var', 'saved_mean', 'saved_var']],
      'the outputs of training: export the network after model.eval()',
      9,
    ],
    [
      'a variance below zero',
      ['BatchNormalization', [...norm.slice(0, 4), floats(1, -1, 1)], 'y'],
      'a variance below zero',
    ],
    [
      'a dropout in training',
      ['Dropout', ['x', float(0.5), { type: 'bool', shape: [], data: [1] }], 'y'],
      'training_mode: export the network after model.eval()',
    ],
    ['a dilated MaxPool', ['MaxPool', ['x'], 'y', { kernel_shape: [2, 2], dilations: [2, 1] }], 'dilations 2, 1'],
    [
      'a dilated AveragePool',
      ['AveragePool', ['x'], 'y', { kernel_shape: [2, 2], dilations: [1, 2] }],
      'dilations 1, 2',
      19,
    ],
    [
      'positions of maxima',
      ['MaxPool', ['x'], ['y', 'positions'], { kernel_shape: [2, 2] }],
      'the positions of its maxima as an output',
    ],
    [
      'means of a LayerNormalization',
      ['LayerNormalization', ['x', weights(4)], ['y', 'mean']],
      'its means as an output',
    ],
    [
      'a ConvTranspose of a size that is written out',
      ['ConvTranspose', ['x', weights(3, 2, 3, 3)], 'y', { output_shape: [6, 6] }],
      'auto_pad NOTSET or output_shape',
    ],
    [
      'a kernel_shape that is not the weight’s',
      ['Conv', ['x', weights(4, 3, 3, 3)], 'y', { kernel_shape: [3, 1] }],
      '3 channels for a weight of 4×3×3×3 in 1 groups',
    ],
    ['a bias of another length', ['Conv', ['x', weights(4, 3, 3, 3), weights(1)], 'y'], 'a bias of 1 for 4 channels'],
    [
      'a cast to whole numbers',
      ['Cast', ['x'], 'y', { to: 7 }],
      'a cast to whole numbers of what depends on the image',
    ],
    ['a bound of Clip that is NaN', ['Clip', ['x', float(0), float(NaN)], 'y'], 'a bound that is no number'],
    ['a Squeeze of a long axis', ['Squeeze', ['x', ints(0, 1)], 'y'], 'axes 0, 1 of 1×3×4×4'],
    ['a Reshape to nothing', ['Reshape', ['x', ints(0, 48)], 'y', { allowzero: 1 }], '1×3×4×4 numbers for shape 0×48'],
    ['a norm over no axes', ['ReduceL2', ['x', ints()], 'y', { noop_with_empty_axes: 1 }], 'noop_with_empty_axes', 18],
  ])('%s', (_, step, what, opset = 17) => {
    expect(why({ x: [1, 3, 4, 4], opset, steps: [step] })).toBe(sentence(step[0], what))
  })

  it.each<[attribute: string, value: number | string | number[], what: string]>([
    ['antialias', 1, 'antialias'],
    ['axes', [2, 3], 'axes of its own'],
    ['keep_aspect_ratio_policy', 'not_larger', 'a kept aspect ratio'],
    ['mode', 'cubic', 'mode cubic round_prefer_floor'],
    ...['half_pixel_symmetric', 'tf_half_pixel_for_nn', 'tf_crop_and_resize'].map((mode): [string, string, string] => [
      'coordinate_transformation_mode',
      mode,
      `coordinate_transformation_mode ${mode}`,
    ]),
  ])('a Resize with %s %j', (name, value, what) => {
    expect(why(resize({}))).toBeUndefined()
    expect(why(resize({ [name]: value }))).toBe(sentence('Resize', what))
  })
})

describe('outputs without a name', () => {
  it.each<[operator: string, step: Step]>([
    ['BatchNormalization', ['BatchNormalization', norm, ['y', '', '', '', '']]],
    ['MaxPool', ['MaxPool', ['x'], ['y', ''], { kernel_shape: [2, 2] }]],
    ['LayerNormalization', ['LayerNormalization', ['x', weights(4)], ['y', '', '']]],
  ])('of %s ask for nothing', (_, step) => {
    expect(why({ x: [1, 3, 4, 4], opset: 13, steps: [step] })).toBeUndefined()
  })
})
