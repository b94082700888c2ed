import { describe, expect, test } from 'vitest'
import { denseNet } from '../../../src/saliency/networks/densenet.ts'
import { findDenseNetShape } from '../../../src/saliency/networks/densenetShape.ts'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { TrunkReader } from '../../../src/saliency/networks/trunkReader.ts'
import { make } from '../../../src/saliency/ops.ts'
import type { Tensors, WeightTensor } from '../../../src/saliency/weights/tensors.ts'
import { tinyWith, tinyWithHeads } from '../../support/tinyNetwork.ts'

function shapeOf(weights: Tensors) {
  return findDenseNetShape(new TrunkReader(weights, 'x.pkl', denseNet), 1e-5)
}

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

test('the shape of a DenseNet is found in its weights', () => {
  const head = { outputs: 61, bias: true }
  expect(shapeOf(tinyWith())).toEqual({
    shape: {
      imageChannels: 3,
      initFeatures: 16,
      growth: 8,
      bottleneck: 32,
      blocks: [2, 2, 2, 2],
      transitions: [16, 16, 16],
      finalFeatures: 32,
      stemKernel: 7,
      layerKernel: 3,
      lastNorm: 'features.norm5',
      epsilon: 1e-5,
      heads: [
        { output: 'classifier_yaw', ...head },
        { output: 'classifier_pitch', ...head },
        { output: 'classifier_roll', ...head },
      ],
    },
    notes: [],
  })
})

test('a head without a bias', () => {
  const { shape } = shapeOf(tinyWith({ 'classifier_yaw.bias': null }))
  expect(shape.heads.map(({ bias }) => bias)).toEqual([false, true, true])
})

/** The tiny network with another number of its blocks: all of them end in 32 channels. */
function withBlocks(count: number): Tensors {
  const weights = new Map<string, WeightTensor>()
  for (const [name, tensor] of tinyWith()) {
    const [, part = '', number = ''] = /^features\.(denseblock|transition)(\d)\./.exec(name) ?? []
    const kept = part === '' || Number(number) < count || (part === 'denseblock' && Number(number) === count)
    if (kept) weights.set(name, tensor)
    if (count > 4 && part === 'transition' && number === '1') weights.set(name.replace('1', '4'), tensor)
    if (count > 4 && part === 'denseblock' && number === '2') weights.set(name.replace('2', '5'), tensor)
  }
  return weights
}

describe.each([1, 2, 3, 5])('%i blocks', (count) => {
  test('with the last norm named as torchvision names it', () => {
    const { shape, notes } = shapeOf(withBlocks(count))
    expect(shape).toMatchObject({ blocks: Array<number>(count).fill(2), finalFeatures: 32, lastNorm: 'features.norm5' })
    expect(notes).toEqual([])
    const recognised = recogniseNetwork(withBlocks(count), 'x.pkl')
    const size = recognised.smallestSide
    const image = make('input', [], { name: 'image', shape: [1, 3, size, size], dtype: 'float32' })
    const outputs = recognised.build(recognised.weights, image)
    expect([...outputs.values()].map((output) => output.shape)).toEqual([
      [1, 61],
      [1, 61],
      [1, 61],
    ])
  })

  test('with the last norm counted on', () => {
    const counted = new Map(
      [...withBlocks(count)].map(([name, tensor]) => [
        name.replace('features.norm5', `features.norm${count + 1}`),
        tensor,
      ]),
    )
    expect(shapeOf(counted).shape.lastNorm).toBe(`features.norm${count + 1}`)
  })

  test('without a last norm', () => {
    const without = new Map([...withBlocks(count)].filter(([name]) => !name.startsWith('features.norm5')))
    expect(() => shapeOf(without)).toThrow(refusal(/lacks features\.norm5\.weight/))
  })
})

test('dense layers with a 5×5 kernel', () => {
  const names = [...tinyWith().keys()].filter((name) => name.endsWith('.conv2.weight'))
  const { shape } = shapeOf(tinyWith(Object.fromEntries(names.map((name) => [name, [8, 32, 5, 5]]))))
  expect(shape.layerKernel).toBe(5)
})

test('a layer that is known to be unused is left out and said', () => {
  const { shape, notes } = shapeOf(tinyWith({ 'fc_finetune.weight': [3, 35], 'fc_finetune.bias': [3] }))
  expect(shape.heads).toHaveLength(3)
  expect(notes).toEqual(['fc_finetune.* (2 tensors) takes no part in the forward pass and is left out.'])
})

test.each([
  ['log_variances', [3]],
  ['hidden.weight', [64, 33]],
])('%s, which nothing takes, is left out and said', (name, shape) => {
  const { shape: found, notes } = shapeOf(tinyWith({ [name]: shape }))
  expect(found.heads).toHaveLength(3)
  expect(notes).toEqual([`${name} takes no part in the forward pass and is left out.`])
})

describe('any tensor that is missing is named', () => {
  const inTrunk = [...tinyWith().keys()].filter((name) => name.startsWith('features.'))
  test.each(inTrunk)('%s', (name) => {
    expect(() => shapeOf(tinyWith({ [name]: null }))).toThrow(refusal(new RegExp(`^x\\.pkl lacks ${name}(:| \\()`)))
  })
})

describe('any tensor of an odd shape is named', () => {
  const inTrunk = [...tinyWith()].filter(([name]) => name.startsWith('features.'))
  test.each(inTrunk.map(([name, { shape }]) => [name, [...shape, 2]] as const))(
    '%s with another axis',
    (name, shape) => {
      expect(() => shapeOf(tinyWith({ [name]: shape }))).toThrow(refusal(new RegExp(`has ${name} of shape \\[`)))
    },
  )

  test.each([
    ['features.conv0.weight', [16, 2, 7, 7], /conv0\.weight of shape \[16, 2, 7, 7\] where \[any, 3, 7, 7\] belongs/],
    ['features.conv0.weight', [16, 3, 3, 3], /conv0\.weight of shape \[16, 3, 3, 3\]/],
    ['features.conv0.weight', [0, 3, 7, 7], /conv0\.weight of shape/],
    ['features.denseblock3.denselayer2.conv2.weight', [12, 32, 3, 3], /where \[8, 32, 3, 3\] belongs/],
    ['features.denseblock3.denselayer2.conv1.weight', [16, 24, 1, 1], /where \[32, 24, 1, 1\] belongs/],
    [
      'features.transition2.conv.weight',
      [24, 32, 1, 1],
      /denseblock3\.denselayer1\.norm1\.weight of shape \[16\] where \[24\]/,
    ],
    ['features.norm5.running_var', [31], /norm5\.running_var of shape \[31\] where \[32\]/],
    ['classifier_roll.bias', [60], /classifier_roll\.bias of shape \[60\] where \[61\]/],
  ])('%s %j', (name, shape, message) => {
    expect(() => shapeOf(tinyWith({ [name]: shape }))).toThrow(refusal(message))
  })
})

describe('what has no place is named, since leaving it out could change the result', () => {
  test.each([
    ['features.attention.weight', [4, 4]],
    ['features.conv0.bias', [16]],
    ['features.denseblock1.denselayer1.conv1.bias', [32]],
    ['features.denseblock2.denselayer3.norm1.extra', [32]],
    ['attention.conv.weight', [8, 8, 3, 3]],
    ['neck.running_var', [32]],
  ])('%s', (name, shape) => {
    const said = name.includes('denselayer3')
      ? 'lacks features.denseblock2.denselayer3.norm1.weight'
      : `holds ${name} \\[`
    expect(() => shapeOf(tinyWith({ [name]: shape }))).toThrow(refusal(new RegExp(said)))
  })

  test('a layer that may take what an output gives', () => {
    expect(() => shapeOf(tinyWithHeads({ fc: [64, 32], fc_yaw: [61, 64] }))).toThrow(
      refusal(/holds fc_yaw\.weight \[61, 64\], which may take what fc gives/),
    )
  })

  test('a head that does not take the trunk’s features', () => {
    expect(() => shapeOf(tinyWithHeads({ fc_yaw: [61, 64] }))).toThrow(
      refusal(/holds fc_yaw\.weight \[61, 64\], which has no place in a DenseNet whose heads take 32 features/),
    )
  })

  test('no head at all', () => {
    expect(() => shapeOf(tinyWithHeads({}))).toThrow(refusal(/has no head: a weight of shape \[outputs, 32\]/))
  })
})
