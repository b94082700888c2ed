import { describe, expect, test } from 'vitest'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { builtActivations } from '../../support/builtActivations.ts'
import { linearShapes, normShapes, without, withPrefix, type Shapes } from '../../support/layerShapes.ts'
import { zeros } from '../../support/zeroWeights.ts'

type Channels = readonly [stem: number, ...stages: number[]]

const repeats = [4, 8, 4]

/** The last of the channels are the features. */
function trunkShapes(names: 'torchvision' | 'earlier', channels: Channels): Shapes {
  const [stem, ...stages] = channels
  const features = stages.pop() ?? 0
  let shapes: Shapes = { 'conv1.0.weight': [stem, 3, 3, 3], ...normShapes('conv1.1', stem) }
  let ins = stem
  let block = 0
  for (const [index, outs] of stages.entries()) {
    for (let number = 0; number < (repeats[index] ?? 0); number++, block++) {
      const name = names === 'earlier' ? `features.${block}.banch` : `stage${index + 2}.${number}.branch`
      shapes = { ...shapes, ...blockShapes(name, ins, outs / 2, number === 0) }
      ins = outs
    }
  }
  const last = names === 'earlier' ? 'conv_last' : 'conv5'
  return { ...shapes, [`${last}.0.weight`]: [features, ins, 1, 1], ...normShapes(`${last}.1`, features) }
}

function blockShapes(branch: string, ins: number, half: number, halves: boolean): Shapes {
  const first: Shapes = {
    [`${branch}1.0.weight`]: [ins, 1, 3, 3],
    ...normShapes(`${branch}1.1`, ins),
    [`${branch}1.2.weight`]: [half, ins, 1, 1],
    ...normShapes(`${branch}1.3`, half),
  }
  return {
    ...(halves ? first : {}),
    [`${branch}2.0.weight`]: [half, halves ? ins : half, 1, 1],
    ...normShapes(`${branch}2.1`, half),
    [`${branch}2.3.weight`]: [half, 1, 3, 3],
    ...normShapes(`${branch}2.4`, half),
    [`${branch}2.5.weight`]: [half, half, 1, 1],
    ...normShapes(`${branch}2.6`, half),
  }
}

const plain: Channels = [24, 116, 232, 464, 1024]
/** As hopenet-lite publishes it. */
const lite: Shapes = {
  ...trunkShapes('torchvision', plain),
  ...linearShapes('fc_y', 1024, 66),
  ...linearShapes('fc_p', 1024, 66),
  ...linearShapes('fc_r', 1024, 66),
}

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

// Parameters of torchvision's own, less its classifier.
test.each<readonly [string, Channels, number]>([
  ['×0.5', [24, 48, 96, 192, 1024], 341_792],
  ['×1.0', plain, 1_253_604],
  ['×1.5', [24, 176, 352, 704, 1024], 2_478_624],
  ['×2.0', [24, 244, 488, 976, 2048], 5_344_996],
])('%s', (width, channels, trunkParameters) => {
  const shapes = { ...trunkShapes('torchvision', channels), ...linearShapes('fc', channels.at(-1) ?? 0, 1000) }
  const { architecture, used, weights } = recogniseNetwork(zeros(shapes), 'x.pth')
  expect(architecture).toMatchObject({ name: `ShuffleNetV2 ${width}`, relus: 37, blocks: repeats, channels })
  const learned = [...used].filter((name) => /^(?!fc\.).*\.(?:weight|bias)$/.test(name))
  expect(learned.reduce((sum, name) => sum + (weights.get(name)?.data.length ?? 0), 0)).toBe(trunkParameters)
})

test("in the earlier implementation's names, with the heads of hopenet-lite's second version", () => {
  const heads = ['fc_y.0', 'fc_p.0', 'fc_r.0']
  const shapes = Object.assign({}, trunkShapes('earlier', plain), ...heads.map((head) => linearShapes(head, 1024, 66)))
  const { architecture, outputs, notes } = recogniseNetwork(zeros(shapes), 'x.pkl')
  expect(architecture).toMatchObject({ name: 'ShuffleNetV2 ×1.0', relus: 37, blocks: repeats })
  expect(outputs.map(({ output }) => output)).toEqual(heads)
  expect(notes).toEqual([])
})

const narrow = { ...trunkShapes('torchvision', [8, 12, 24, 40, 32]), ...linearShapes('fc', 32, 6) }

test('of no published width, below a prefix', () => {
  const shapes = withPrefix('net.', narrow)
  expect(recogniseNetwork(zeros(shapes), 'x.pth').architecture.name).toBe(
    'ShuffleNetV2 of 8-12-24-40-32 channels with blocks 4-8-4',
  )
})

test('it is built with its 37 ReLUs and halves the image five times', () => {
  const activations = builtActivations(recogniseNetwork(zeros(narrow), 'x.pth'), 64)
  expect(activations.map(({ op }) => op)).toEqual(Array.from({ length: 37 }, () => 'relu'))
  expect(activations.at(-1)?.shape).toEqual([1, 32, 2, 2])
  // Of each stage's first block the ReLU before its strided convolution still has the sides of the stage before.
  const bySide = [32, 16, 8, 4, 2].map((side) => activations.filter(({ shape }) => shape[2] === side).length)
  expect(bySide).toEqual([1, 1, 9, 17, 9])
})

describe('the first tensor that does not fit is named', () => {
  test.each(Object.keys(narrow).filter((name) => !name.startsWith('fc.')))('without %s', (missing) => {
    expect(() => recogniseNetwork(zeros(without(missing, narrow)), 'x.pth')).toThrow(
      refusal(new RegExp(`^x\\.pth lacks ${missing}: headlight builds ShuffleNetV2s`)),
    )
  })

  test.each<readonly [string, Shapes, RegExp]>([
    ['kernels of 5', { 'stage3.2.branch2.3.weight': [116, 1, 5, 5] }, /stage3\.2\.branch2\.3\.weight of shape/],
    [
      'a block that widens',
      { 'stage3.2.branch2.0.weight': [120, 116, 1, 1] },
      /stage3\.2\.branch2\.0\.weight of shape/,
    ],
    ['squeeze and excitation', { 'stage3.2.se.fc1.weight': [4, 232] }, /holds stage3\.2\.se\.fc1\.weight/],
    ['a fifth stage', { 'stage5.0.branch2.0.weight': [232, 464, 1, 1] }, /stage5\.0\.branch2\.0\.weight of shape/],
    ['another last convolution', { 'conv_last.0.weight': [8, 464, 1, 1] }, /holds conv_last\.0\.weight/],
  ])('%s', (_, changed, message) => {
    expect(() => recogniseNetwork(zeros({ ...lite, ...changed }), 'x.pth')).toThrow(refusal(message))
  })
})
