import { describe, expect, test } from 'vitest'
import { topological, type Node } from '../../../src/saliency/graph.ts'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { make } from '../../../src/saliency/ops.ts'
import { zeros } from '../../support/zeroWeights.ts'

type Shapes = Record<string, readonly number[]>

interface Measures {
  /** Channels of each convolution, with M for a max pool. */
  readonly layers: readonly (number | 'M')[]
  readonly batchNorm?: boolean
  /** Outputs of the classifier's layers; dropouts stand between unless `dropout` is false. */
  readonly classifier?: readonly number[]
  readonly dropout?: boolean
  /** Of the square that is averaged to. */
  readonly side?: number
  readonly channels?: number
}

function vggShapes({
  layers,
  batchNorm = false,
  classifier = [],
  dropout = true,
  side = 7,
  channels = 3,
}: Measures): Shapes {
  const shapes: Shapes = {}
  let ins = channels
  let index = 0
  const linear = (name: string, outs: number): void => {
    shapes[`${name}.weight`] = [outs, ins]
    shapes[`${name}.bias`] = [outs]
    ins = outs
  }
  for (const layer of layers) {
    if (layer === 'M') {
      index++
      continue
    }
    shapes[`features.${index}.weight`] = [layer, ins, 3, 3]
    shapes[`features.${index}.bias`] = [layer]
    if (batchNorm) {
      for (const part of ['weight', 'bias', 'running_mean', 'running_var']) {
        shapes[`features.${index + 1}.${part}`] = [layer]
      }
    }
    index += batchNorm ? 3 : 2
    ins = layer
  }
  ins *= side * side
  classifier.forEach((outs, number) => linear(`classifier.${number * (dropout ? 3 : 2)}`, outs))
  return shapes
}

const block = (count: number, outs: number): (number | 'M')[] => [...Array<number>(count).fill(outs), 'M']

function published(counts: readonly number[]): (number | 'M')[] {
  return counts.flatMap((count, index) => block(count, [64, 128, 256, 512, 512][index] ?? 0))
}

/** Two blocks, the second of two convolutions. */
const layers = [...block(1, 4), ...block(2, 8)]
const small = vggShapes({ layers, classifier: [10, 12, 6] })

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

function outputNames(shapes: Shapes): string[] {
  return recogniseNetwork(zeros(shapes), 'x.pth').outputs.map(({ output }) => output)
}

function outputsOf(shapes: Shapes, height: number, width: number): ReadonlyMap<string, Node> {
  const recognised = recogniseNetwork(zeros(shapes), 'x.pth')
  const image = make('input', [], { name: 'image', shape: [2, 3, height, width], dtype: 'float32' })
  return recognised.build(recognised.weights, image)
}

describe('published sizes', () => {
  // Learned numbers as PyTorch counts them.
  test.each<readonly [string, readonly number[], boolean, number, number]>([
    ['VGG-11', [1, 1, 2, 2, 2], false, 10, 132_863_336],
    ['VGG-11 with batch norm', [1, 1, 2, 2, 2], true, 10, 132_868_840],
    ['VGG-13', [2, 2, 2, 2, 2], false, 12, 133_047_848],
    ['VGG-13 with batch norm', [2, 2, 2, 2, 2], true, 12, 133_053_736],
    ['VGG-16', [2, 2, 3, 3, 3], false, 15, 138_357_544],
    ['VGG-16 with batch norm', [2, 2, 3, 3, 3], true, 15, 138_365_992],
    ['VGG-19', [2, 2, 4, 4, 4], false, 18, 143_667_240],
    ['VGG-19 with batch norm', [2, 2, 4, 4, 4], true, 18, 143_678_248],
  ])('%s', (name, counts, batchNorm, relus, parameters) => {
    const shapes = vggShapes({ layers: published(counts), batchNorm, classifier: [4096, 4096, 1000] })
    const recognised = recogniseNetwork(zeros(shapes), 'x.pth')
    expect(recognised.architecture).toMatchObject({ family: 'VGG', name, relus, blocks: counts, batchNorm })
    const learned = [...recognised.used].filter((tensor) => /\.(?:weight|bias)$/.test(tensor))
    const count = learned.reduce((sum, tensor) => sum + (recognised.weights.get(tensor)?.data.length ?? 0), 0)
    expect(count).toBe(parameters)
    expect(recognised.outputs).toEqual([{ output: 'classifier.6', outputs: 1000, bias: true }])
    expect(recognised.smallestSide).toBe(32)
    expect(recognised.notes).toEqual([])
  })
})

test.each([false, true])('max pools stand where the names leave room for them (batch norm: %s)', (batchNorm) => {
  const outputs = outputsOf(vggShapes({ layers, batchNorm, side: 1, classifier: [6] }), 9, 12)
  const order = topological(outputs.values()).flatMap(({ op, label }) =>
    op === 'conv' || op === 'maxPool' ? [`${op} ${label}`] : [],
  )
  const [first, second, third] = batchNorm ? [0, 4, 7] : [0, 3, 5]
  expect(order).toEqual([
    `conv features.${first}`,
    `maxPool features.${first}.pool`,
    `conv features.${second}`,
    `conv features.${third}`,
    `maxPool features.${third}.pool`,
  ])
})

test('where no published VGG tells of the max pools, where they stand is said to be assumed', () => {
  expect(recogniseNetwork(zeros(small), 'x.pth').notes).toEqual([
    'It is assumed that a max pool stands wherever the names leave room for one, and after the last convolution: the weights do not say.',
  ])
})

describe('what the outputs stand on', () => {
  const heads = (ins: number): Shapes =>
    Object.fromEntries(['fc_yaw', 'fc_pitch', 'fc_roll'].map((name) => [`${name}.weight`, [66, ins]]))
  const names = ['fc_yaw', 'fc_pitch', 'fc_roll']
  const relusOf = (shapes: Shapes): number => recogniseNetwork(zeros(shapes), 'x.pth').architecture.relus

  test("the classifier's last layer is an output", () => {
    expect(outputNames(small)).toEqual(['classifier.6'])
    expect(relusOf(small)).toBe(5)
  })

  test('heads in its place', () => {
    const shapes = { ...vggShapes({ layers, classifier: [10, 12] }), ...heads(12) }
    expect(outputNames(shapes)).toEqual(names)
    expect(relusOf(shapes)).toBe(5)
  })

  test('heads in its place, on as many numbers as the layer before takes', () => {
    expect(relusOf({ ...vggShapes({ layers, classifier: [10, 10] }), ...heads(10) })).toBe(5)
  })

  test('heads in its place, on as many numbers as there are channels', () => {
    expect(relusOf({ ...vggShapes({ layers, classifier: [10, 8] }), ...heads(8) })).toBe(5)
  })

  test('heads beside it', () => {
    const shapes = { ...small, ...heads(12) }
    expect(outputNames(shapes)).toEqual(['classifier.6', ...names])
    expect(relusOf(shapes)).toBe(5)
  })

  test('a classifier without dropouts', () => {
    const shapes = vggShapes({ layers, classifier: [10, 12, 6], dropout: false })
    expect(outputNames(shapes)).toEqual(['classifier.4'])
    expect(relusOf(shapes)).toBe(5)
  })

  test.each([1, 2, 7])('heads on the channels averaged to a side of %i', (side) => {
    const shapes = { ...vggShapes({ layers }), ...heads(8 * side * side) }
    expect(outputNames(shapes)).toEqual(names)
    expect(relusOf(shapes)).toBe(3)
    expect([...outputsOf(shapes, 28, 31).values()].map(({ shape }) => shape)).toEqual(Array(3).fill([2, 66]))
  })

  test('heads on averages leave an old classifier out', () => {
    const shapes = { ...small, ...heads(8) }
    expect(outputNames(shapes)).toEqual(names)
    expect(recogniseNetwork(zeros(shapes), 'x.pth').notes).toContain(
      'classifier.* (6 tensors) takes no part in the forward pass and is left out.',
    )
  })
})

test.each(['', 'backbone.', 'model.net.'])('with the trunk under "%s"', (prefix) => {
  const named = Object.fromEntries(Object.entries(small).map(([name, shape]) => [prefix + name, shape]))
  expect(recogniseNetwork(zeros(named), 'x.pth').architecture.name).toBe('VGG of blocks 1-2')
})

test('a network of gray images', () => {
  expect(recogniseNetwork(zeros(vggShapes({ layers, classifier: [6], channels: 1 })), 'x.pth').imageChannels).toBe(1)
})

test('convolutions without biases', () => {
  const shapes = vggShapes({ layers, batchNorm: true, classifier: [6] })
  const without = Object.fromEntries(Object.entries(shapes).filter(([name]) => !/^features\.[047]\.bias$/.test(name)))
  expect(recogniseNetwork(zeros(without), 'x.pth').architecture.name).toBe('VGG of blocks 1-2 with batch norm')
})

describe('the first tensor that does not fit is named', () => {
  const normed = vggShapes({ layers, batchNorm: true, classifier: [10, 12, 6] })
  const cases = [small, normed].flatMap((shapes) =>
    // Without its first weight nothing tells of a VGG; a linear layer may have no bias.
    Object.keys(shapes).flatMap((name) =>
      name === 'features.0.weight' || name.startsWith('classifier.6') || /^classifier.*bias$/.test(name)
        ? []
        : [{ name, shapes }],
    ),
  )

  test.each(cases)('without $name', ({ name, shapes }) => {
    const rest = Object.fromEntries(Object.entries(shapes).filter(([other]) => other !== name))
    // Without its first bias no convolution is taken to have one.
    const said = name === 'features.0.bias' ? /holds features\.\d\.bias \[8\]/ : new RegExp(`x\\.pth lacks ${name}: `)
    expect(() => recogniseNetwork(zeros(rest), 'x.pth')).toThrow(refusal(said))
  })

  test.each<readonly [string, Shapes, RegExp]>([
    ['AlexNet', { 'features.0.weight': [64, 3, 11, 11] }, /features\.0\.weight of shape \[64, 3, 11, 11\]/],
    [
      'a layer too far',
      { 'features.9.weight': [8, 8, 3, 3] },
      /lacks features\.7 or features\.8: after features\.5 comes/,
    ],
    [
      'other channels',
      { 'features.5.weight': [8, 4, 3, 3] },
      /features\.5\.weight of shape \[8, 4, 3, 3\] where \[any, 8/,
    ],
    [
      'another convolution inside',
      { 'features.8.branch.weight': [2, 8, 1, 1] },
      /has features\.8\.branch\.weight where features\.8\.weight/,
    ],
    ['linear layers in a row', { 'classifier.4.weight': [12, 12] }, /classifier\.4 after classifier\.3/],
    ['a norm in the classifier', { 'classifier.1.running_var': [10] }, /classifier\.1 after classifier\.0/],
    ['features of another trunk', { 'classifier.0.weight': [10, 100] }, /classifier\.0 on 100 numbers/],
    ['a head behind an output', { 'fc_yaw.weight': [66, 7] }, /holds fc_yaw\.weight \[66, 7\]/],
    ['attention', { 'attention.weight': [8, 8, 1, 1] }, /holds attention\.weight \[8, 8, 1, 1\]/],
  ])('%s', (_, changed, message) => {
    expect(() => recogniseNetwork(zeros({ ...small, ...changed }), 'x.pth')).toThrow(refusal(message))
  })

  test('a whole layer that is missing', () => {
    const rest = Object.fromEntries(Object.entries(small).filter(([name]) => !name.startsWith('features.3.')))
    expect(() => recogniseNetwork(zeros(rest), 'x.pth')).toThrow(
      refusal(/lacks features\.2 or features\.3: after features\.0 comes features\.5/),
    )
  })
})
