import { describe, expect, test } from 'vitest'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { builtActivations } from '../../support/builtActivations.ts'
import { linearShapes, normShapes, without, withPrefix, type Shapes } from '../../support/layerShapes.ts'
import { zeros } from '../../support/zeroWeights.ts'

/** Channels that each block takes and gives at width 1. */
const blocks: readonly (readonly [name: string, ins: number, outs: number])[] = [
  ['dw2_1', 32, 64],
  ['dw2_2', 64, 128],
  ['dw3_1', 128, 128],
  ['dw3_2', 128, 256],
  ['dw4_1', 256, 256],
  ['dw4_2', 256, 512],
  ...[1, 2, 3, 4, 5].map((number) => [`dw5_${number}`, 512, 512] as const),
  ['dw5_6', 512, 1024],
  ['dw6', 1024, 1024],
]

/** 3DDFA's names, without outputs. */
function trunkShapes(width: number, imageChannels = 3): Shapes {
  const wide = (channels: number): number => Math.trunc(channels * width)
  let shapes: Shapes = { 'conv1.weight': [wide(32), imageChannels, 3, 3], ...normShapes('bn1', wide(32)) }
  for (const [name, ins, outs] of blocks) {
    shapes = {
      ...shapes,
      [`${name}.conv_dw.weight`]: [wide(ins), 1, 3, 3],
      ...normShapes(`${name}.bn_dw`, wide(ins)),
      [`${name}.conv_sep.weight`]: [wide(outs), wide(ins), 1, 1],
      ...normShapes(`${name}.bn_sep`, wide(outs)),
    }
  }
  return shapes
}

/** As 3DDFA_V2 publishes it. */
const half: Shapes = {
  ...trunkShapes(0.5),
  ...linearShapes('fc_param', 512, 62),
  ...linearShapes('fc_lm', 512, 136),
}

const narrow: Shapes = { ...trunkShapes(0.125), ...linearShapes('fc', 128, 62) }

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

// 3DDFA's own numbers of parameters, less its last layer.
test.each<readonly [number, number]>([
  [0.25, 213_072],
  [0.5, 818_592],
  [0.75, 1_816_560],
  [1, 3_206_976],
  [2, 12_693_120],
])('of width %d', (width, trunkParameters) => {
  const shapes = { ...trunkShapes(width), ...linearShapes('fc', 1024 * width, 62) }
  const { architecture, outputs, used, weights, notes } = recogniseNetwork(zeros(shapes), 'x.pth')
  expect(architecture).toMatchObject({ family: 'MobileNetV1', name: `MobileNetV1 ×${width}`, relus: 27 })
  expect(outputs).toEqual([{ output: 'fc', outputs: 62, bias: true }])
  expect(notes).toEqual([])
  const learned = [...used].filter((name) => /^(?!fc\.).*\.(?:weight|bias)$/.test(name))
  expect(learned.reduce((sum, name) => sum + (weights.get(name)?.data.length ?? 0), 0)).toBe(trunkParameters)
})

test('of no published width', () => {
  const changed = { ...half, 'dw6.conv_sep.weight': [96, 512, 1, 1], ...normShapes('dw6.bn_sep', 96) }
  const { architecture } = recogniseNetwork(zeros({ ...changed, ...linearShapes('fc_param', 96, 62) }), 'x.pth')
  expect(architecture.name).toBe('MobileNetV1 of 16 to 96 channels')
})

test('of gray images', () => {
  const gray = { ...trunkShapes(1, 1), ...linearShapes('fc', 1024, 62) }
  expect(recogniseNetwork(zeros(gray), 'x.pth').imageChannels).toBe(1)
})

test("under SynergyNet's prefix, with its networks for landmarks and its face model left out", () => {
  const shapes = {
    param_mean: [62],
    param_std: [62],
    w_shp: [90, 40],
    u_base: [204, 1],
    ...withPrefix('I2P.backbone.', { ...trunkShapes(1), ...linearShapes('fc_ori', 1024, 12) }),
    'forwardDirection.conv1.weight': [64, 3, 1],
    ...normShapes('forwardDirection.bn1', 64),
    'reverseDirection.conv6_1.weight': [12, 1024, 1],
  }
  const { architecture, outputs, notes } = recogniseNetwork(zeros(shapes), 'x.pth')
  expect(architecture.name).toBe('MobileNetV1 ×1')
  expect(outputs.map(({ output }) => output)).toEqual(['fc_ori'])
  expect(notes).toEqual([
    'w_shp, u_base, forwardDirection.* (5 tensors) and reverseDirection.conv6_1.weight take no part in the forward pass and are left out.',
  ])
})

describe('the activations that it is built with', () => {
  const slopes = ['', ...blocks.map(([name]) => `${name}.`)].map((name) => [`${name}relu.weight`, [1]] as const)

  test.each<readonly [string, Shapes, string]>([
    ['27 ReLUs', narrow, 'relu'],
    ['27 PReLUs where there are slopes', { ...narrow, ...Object.fromEntries(slopes) }, 'prelu'],
  ])('%s, and it halves the image five times', (_, shapes, kind) => {
    const activations = builtActivations(recogniseNetwork(zeros(shapes), 'x.pth'), 64)
    expect(activations.map(({ op }) => op)).toEqual(Array.from({ length: 27 }, () => kind))
    expect(activations.at(-1)?.shape).toEqual([1, 128, 2, 2])
  })

  test.each(slopes.map(([name]) => name))('slopes, but for %s', (missing) => {
    const shapes = without(missing, { ...narrow, ...Object.fromEntries(slopes) })
    expect(() => recogniseNetwork(zeros(shapes), 'x.pth')).toThrow(refusal(new RegExp(`lacks ${missing}: `)))
  })

  test('slopes by channel, which the two uses of one PReLU cannot both have', () => {
    const shapes = { ...narrow, ...Object.fromEntries(slopes), 'dw3_1.relu.weight': [16] }
    expect(() => recogniseNetwork(zeros(shapes), 'x.pth')).toThrow(refusal(/dw3_1\.relu\.weight of shape \[16\]/))
  })
})

describe('the first tensor that does not fit is named', () => {
  test.each(Object.keys(narrow).filter((name) => !name.startsWith('fc.')))('without %s', (missing) => {
    expect(() => recogniseNetwork(zeros(without(missing, narrow)), 'x.pth')).toThrow(
      refusal(new RegExp(`^x\\.pth lacks ${missing}: headlight builds MobileNetV1s in 3DDFA's layout;`)),
    )
  })

  test.each<readonly [string, Shapes, RegExp]>([
    ['a kernel of 5', { 'dw5_3.conv_dw.weight': [256, 1, 5, 5] }, /dw5_3\.conv_dw\.weight of shape \[256, 1, 5, 5\]/],
    ['no depthwise convolution', { 'dw5_3.conv_dw.weight': [256, 256, 3, 3] }, /dw5_3\.conv_dw\.weight of shape/],
    ['a further block', { 'dw7.conv_dw.weight': [512, 1, 3, 3] }, /holds dw7\.conv_dw\.weight/],
    ['a bias', { 'conv1.bias': [16] }, /holds conv1\.bias \[16\]/],
    ['a head on other features', { 'fc_param.weight': [62, 1024] }, /holds fc_param\.weight \[62, 1024\]/],
  ])('%s', (_, changed, message) => {
    expect(() => recogniseNetwork(zeros({ ...half, ...changed }), 'x.pth')).toThrow(refusal(message))
  })
})
