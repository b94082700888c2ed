import { describe, expect, test } from 'vitest'
import { gradientOf } from '../../../src/saliency/backward.ts'
import { evaluate } from '../../../src/saliency/engines/reference.ts'
import type { Node } from '../../../src/saliency/graph.ts'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { Layers } from '../../../src/saliency/networks/layers.ts'
import { make } from '../../../src/saliency/ops.ts'
import type { Tensors, WeightTensor } from '../../../src/saliency/weights/tensors.ts'
import { seededRandom } from '../../support/operationExamples.ts'
import { zeros } from '../../support/zeroWeights.ts'

type Shapes = Record<string, readonly number[]>
type Form = 'training' | 'deployed'

interface Measures {
  /** In each stage after the stem. */
  readonly blocks: readonly number[]
  /** After the stem and each stage. */
  readonly widths: readonly number[]
  /** Of every second block. */
  readonly groups?: number
  /** Form of the block of this number, the stem's being 0. */
  readonly form?: (block: number) => Form
  readonly stage?: 'stage' | 'layer'
  readonly channels?: number
}

interface Block {
  readonly name: string
  readonly ins: number
  readonly outs: number
  readonly groups: number
  readonly stride: number
  readonly form: Form
}

function blocksOf({ blocks, widths, groups = 1, form = () => 'training', stage = 'layer', channels = 3 }: Measures) {
  const found: Block[] = []
  for (const [number, count] of [1, ...blocks].entries()) {
    for (let index = 0; index < count; index++) {
      found.push({
        name: number === 0 ? `${stage}0` : `${stage}${number}.${index}`,
        ins: found.at(-1)?.outs ?? channels,
        outs: widths[number] ?? 0,
        groups: found.length > 0 && found.length % 2 === 0 ? groups : 1,
        stride: index === 0 ? 2 : 1,
        form: form(found.length),
      })
    }
  }
  return found
}

function norm(name: string, channels: number): Shapes {
  return Object.fromEntries(
    ['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [channels]]),
  )
}

/** Names and shapes with a head of 6D rotation. */
function repVggShapes(measures: Measures): Shapes {
  const shapes: Shapes = {}
  for (const { name, ins, outs, groups, stride, form } of blocksOf(measures)) {
    if (form === 'deployed') {
      shapes[`${name}.rbr_reparam.weight`] = [outs, ins / groups, 3, 3]
      shapes[`${name}.rbr_reparam.bias`] = [outs]
      continue
    }
    if (ins === outs && stride === 1) Object.assign(shapes, norm(`${name}.rbr_identity`, outs))
    shapes[`${name}.rbr_dense.conv.weight`] = [outs, ins / groups, 3, 3]
    shapes[`${name}.rbr_1x1.conv.weight`] = [outs, ins / groups, 1, 1]
    Object.assign(shapes, norm(`${name}.rbr_dense.bn`, outs), norm(`${name}.rbr_1x1.bn`, outs))
  }
  const features = measures.widths.at(-1) ?? 0
  return { ...shapes, 'linear_reg.weight': [6, features], 'linear_reg.bias': [6] }
}

const small: Measures = { blocks: [2, 3, 1], widths: [4, 4, 8, 12], groups: 2 }

/** Numbers of which none is special; variances lie above zero. */
function seeded(shapes: Shapes): Tensors {
  const random = seededRandom(16)
  return new Map(
    [...zeros(shapes)].map(([name, { shape, data }]): [string, WeightTensor] => [
      name,
      { shape, data: data.map(() => (name.endsWith('running_var') ? 1.5 + random() : random())) },
    ]),
  )
}

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

describe('published sizes', () => {
  const [a, b] = [
    [2, 4, 14, 1],
    [4, 6, 16, 1],
  ]

  // Parameters of both forms as PyTorch counts them, less the classifier.
  test.each<readonly [string, Measures, number, number]>([
    ['RepVGG-A0', { blocks: a, widths: [48, 48, 96, 192, 1280] }, 22, 7_028_384],
    ['RepVGG-A1', { blocks: a, widths: [64, 64, 128, 256, 1280] }, 22, 11_508_864],
    ['RepVGG-A2', { blocks: a, widths: [64, 96, 192, 384, 1408] }, 22, 24_090_944],
    ['RepVGG-B0', { blocks: b, widths: [64, 64, 128, 256, 1280] }, 28, 13_058_048],
    ['RepVGG-B1', { blocks: b, widths: [64, 128, 256, 512, 2048] }, 28, 49_780_480],
    ['RepVGG-B1g2', { blocks: b, widths: [64, 128, 256, 512, 2048], groups: 2 }, 28, 39_311_104],
    ['RepVGG-B1g4', { blocks: b, widths: [64, 128, 256, 512, 2048], groups: 4 }, 28, 34_076_416],
    ['RepVGG-B2', { blocks: b, widths: [64, 160, 320, 640, 2560] }, 28, 77_754_112],
    ['RepVGG-B2g2', { blocks: b, widths: [64, 160, 320, 640, 2560], groups: 2 }, 28, 61_395_712],
    ['RepVGG-B2g4', { blocks: b, widths: [64, 160, 320, 640, 2560], groups: 4 }, 28, 53_216_512],
    ['RepVGG-B3', { blocks: b, widths: [64, 192, 384, 768, 2560] }, 28, 108_399_872],
    ['RepVGG-B3g2', { blocks: b, widths: [64, 192, 384, 768, 2560], groups: 2 }, 28, 84_843_776],
    ['RepVGG-B3g4', { blocks: b, widths: [64, 192, 384, 768, 2560], groups: 4 }, 28, 73_065_728],
  ])('%s, deployed', (name, measures, relus, parameters) => {
    const recognised = recogniseNetwork(zeros(repVggShapes({ ...measures, form: () => 'deployed' })), 'x.pth')
    expect(recognised.architecture).toMatchObject({ family: 'RepVGG', name, relus })
    expect(trunkSize(recognised)).toBe(parameters)
    expect(recognised.outputs).toEqual([{ output: 'linear_reg', outputs: 6, bias: true }])
  })

  test('RepVGG-A0 in training form is folded to what the deployed one has', () => {
    const recognised = recogniseNetwork(zeros(repVggShapes({ blocks: a, widths: [48, 48, 96, 192, 1280] })), 'x.pth')
    expect(recognised.architecture.name).toBe('RepVGG-A0')
    expect(trunkSize(recognised)).toBe(7_028_384)
    expect([...recognised.weights.keys()].filter((name) => /dense|1x1|identity/.test(name))).toEqual([])
    expect(recognised.facts).toContainEqual(['form', 'training, folded into one 3×3 convolution a block'])
  })

  function trunkSize({ used, weights }: ReturnType<typeof recogniseNetwork>): number {
    const names = [...used].filter((name) => !name.startsWith('linear_reg'))
    return names.reduce((sum, name) => sum + (weights.get(name)?.data.length ?? 0), 0)
  }
})

describe('folding', () => {
  const image = make('input', [], { name: 'image', shape: [1, 3, 20, 18], dtype: 'float32' })
  const random = seededRandom(3)
  const pixels = Float32Array.from({ length: 3 * 20 * 18 }, random)

  function outputAndGradient(output: Node): { y: readonly number[]; gradient: readonly number[] } {
    const third = make('slice', [output], { axis: 1, start: 2, end: 3 })
    const graph = new Map([
      ['y', output],
      ['gradient', gradientOf(third, image, 'all')],
    ])
    const found = evaluate({ outputs: graph }, new Map([['image', pixels]]))
    return { y: [...(found.get('y') ?? [])], gradient: [...(found.get('gradient') ?? [])] }
  }

  /** As the paper draws it: branches summed, then one ReLU. */
  function asTrained(weights: Tensors, epsilon: number): Node {
    const layers = new Layers(weights, epsilon)
    let x: Node = image
    for (const { name, ins, outs, stride } of blocksOf(small)) {
      const dense = layers.convolution(x, `${name}.rbr_dense.conv`, { stride, padding: 1 })
      const pointwise = layers.convolution(x, `${name}.rbr_1x1.conv`, { stride })
      let sum = layers.add(
        layers.norm(dense, `${name}.rbr_dense.bn`),
        layers.norm(pointwise, `${name}.rbr_1x1.bn`),
        name,
      )
      if (ins === outs && stride === 1) sum = layers.add(sum, layers.norm(x, `${name}.rbr_identity`), name)
      x = layers.relu(sum, name)
    }
    return layers.linear(layers.globalAverage(x), 'linear_reg')
  }

  function expectAlike(found: readonly number[], wanted: readonly number[]): void {
    const size = Math.hypot(...wanted)
    expect(size).toBeGreaterThan(0)
    // Folded kernels are rounded to float32 once.
    expect(Math.hypot(...wanted.map((value, i) => value - (found[i] ?? NaN))) / size).toBeLessThan(1e-6)
  }

  const weights = seeded(repVggShapes(small))

  test.each([1e-5, 1e-3])('gives the same outputs and guided gradient, epsilon %d', (epsilon) => {
    const wanted = outputAndGradient(asTrained(weights, epsilon))
    const recognised = recogniseNetwork(weights, 'x.pth', { epsilon })
    const built = recognised.build(recognised.weights, image).get('linear_reg')
    expect(built).toBeDefined()
    const found = outputAndGradient(built ?? image)
    expectAlike(found.y, wanted.y)
    expectAlike(found.gradient, wanted.gradient)
  })

  test('of some blocks only', () => {
    const { weights: folded } = recogniseNetwork(weights, 'x.pth')
    const form = (block: number): Form => (block % 3 === 0 ? 'training' : 'deployed')
    const mixed: Tensors = new Map(
      Object.keys(repVggShapes({ ...small, form })).map((name): [string, WeightTensor] => [
        name,
        weights.get(name) ?? folded.get(name) ?? { shape: [], data: new Float32Array() },
      ]),
    )
    const recognised = recogniseNetwork(mixed, 'x.pth')
    expect(recognised.facts).toContainEqual(['form', 'partly deployed, folded into one 3×3 convolution a block'])
    expect(Object.fromEntries(recognised.weights)).toEqual(Object.fromEntries(folded))
  })
})

test.each(['', 'backbone.', 'model.net.'])('with the trunk under "%s"', (prefix) => {
  const named = Object.fromEntries(
    Object.entries(repVggShapes(small)).map(([name, shape]) => [
      name.startsWith('linear_reg') ? name : prefix + name,
      shape,
    ]),
  )
  expect(recogniseNetwork(zeros(named), 'x.pth').architecture.name).toBe('RepVGG of blocks 2-3-1')
})

test('stages in plain RepVGG’s names', () => {
  const { used } = recogniseNetwork(zeros(repVggShapes({ ...small, stage: 'stage' })), 'x.pth')
  expect([...used].filter((name) => name.startsWith('stage1.1'))).toEqual([
    'stage1.1.rbr_reparam.weight',
    'stage1.1.rbr_reparam.bias',
  ])
})

test('a network of gray images', () => {
  expect(recogniseNetwork(zeros(repVggShapes({ ...small, channels: 1 })), 'x.pth').imageChannels).toBe(1)
})

test('a layer that nothing takes is left out and said', () => {
  const { outputs, notes } = recogniseNetwork(zeros({ ...repVggShapes(small), 'aux.weight': [1000, 40] }), 'x.pth')
  expect(outputs).toHaveLength(1)
  expect(notes).toEqual(['aux.weight takes no part in the forward pass and is left out.'])
})

describe('the first tensor that does not fit is named', () => {
  const [training, deployed] = [repVggShapes(small), repVggShapes({ ...small, form: () => 'deployed' })]
  const cases = [training, deployed].flatMap((shapes) =>
    Object.keys(shapes).flatMap((name) => (name.startsWith('linear_reg') ? [] : [{ name, shapes }])),
  )

  test.each(cases)('without $name', ({ name, shapes }) => {
    const rest = Object.fromEntries(Object.entries(shapes).filter(([other]) => other !== name))
    // A deployed block without its kernel looks like one in training form.
    const said = name.endsWith('rbr_reparam.weight') ? name.replace('rbr_reparam', 'rbr_dense.conv') : name
    expect(() => recogniseNetwork(zeros(rest), 'x.pth')).toThrow(refusal(new RegExp(`x\\.pth lacks ${said}: `)))
  })

  test.each<readonly [string, Shapes, RegExp]>([
    [
      'squeeze and excitation',
      { 'layer1.0.se.down.weight': [1, 4, 1, 1] },
      /holds layer1\.0\.se\.down\.weight, and RepVGGs with squeeze and excitation \(D2se\)/,
    ],
    ['a block in both forms', { 'layer1.0.rbr_reparam.weight': [4, 4, 3, 3] }, /lacks layer1\.0\.rbr_reparam\.bias/],
    ['groups that do not divide', { 'layer2.1.rbr_dense.conv.weight': [8, 3, 3, 3] }, /layer2\.1\.rbr_dense\.conv/],
    ['an identity where the block halves', norm('layer1.0.rbr_identity', 4), /holds layer1\.0\.rbr_identity\.weight/],
    ['a kernel of 5×5', { 'layer2.0.rbr_dense.conv.weight': [8, 4, 5, 5] }, /layer2\.0\.rbr_dense\.conv\.weight/],
  ])('%s', (_, changed, message) => {
    expect(() => recogniseNetwork(zeros({ ...training, ...changed }), 'x.pth')).toThrow(refusal(message))
  })

  test('a variance below zero', () => {
    const weights = seeded(training)
    weights.get('layer2.0.rbr_1x1.bn.running_var')?.data.fill(-1)
    expect(() => recogniseNetwork(weights, 'x.pth')).toThrow(
      expect.objectContaining({ code: 'bad-checkpoint', message: expect.stringMatching(/layer2\.0\.rbr_1x1\.bn/) }),
    )
  })
})
