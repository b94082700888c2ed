import { describe, expect, test } from 'vitest'
import type { DescriptionOverride } from '../../../src/saliency/networks/description.ts'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import type { RecognisedNetwork } from '../../../src/saliency/networks/family.ts'
import { resolveDescription } from '../../../src/saliency/networks/resolve.ts'
import { builtActivations } from '../../support/builtActivations.ts'
import { linearShapes, normShapes, without, withPrefix, type Shapes } from '../../support/layerShapes.ts'
import { zeros } from '../../support/zeroWeights.ts'

const stageBlocks = [1, 2, 3, 4, 3, 3, 1]

interface Measures {
  readonly stem: number
  /** Channels of each stage. */
  readonly stages: readonly number[]
  readonly features?: number
  readonly blocks?: readonly number[]
}

/** torchvision's names, without outputs. */
function trunkShapes({ stem, stages, features = 1280, blocks = stageBlocks }: Measures): Shapes {
  let shapes: Shapes = convolved('features.0', [stem, 3, 3, 3])
  let ins = stem
  let number = 1
  for (const [stage, outs] of stages.entries()) {
    for (let index = 0; index < (blocks[stage] ?? 0); index++, number++) {
      const name = `features.${number}.conv`
      const width = number === 1 ? ins : 6 * ins
      const layer = number === 1 ? 0 : 1
      shapes = {
        ...shapes,
        ...(number === 1 ? {} : convolved(`${name}.0`, [width, ins, 1, 1])),
        ...convolved(`${name}.${layer}`, [width, 1, 3, 3]),
        [`${name}.${layer + 1}.weight`]: [outs, width, 1, 1],
        ...normShapes(`${name}.${layer + 2}`, outs),
      }
      ins = outs
    }
  }
  return { ...shapes, ...convolved(`features.${number}`, [features, ins, 1, 1]) }
}

function convolved(name: string, shape: readonly [number, ...number[]]): Shapes {
  return { [`${name}.0.weight`]: shape, ...normShapes(`${name}.1`, shape[0]) }
}

const plain = trunkShapes({ stem: 32, stages: [16, 24, 32, 64, 96, 160, 320] })
const yakhyo: Shapes = { ...plain, ...linearShapes('linear_reg', 1280, 6) }

const narrow = trunkShapes({ stem: 4, stages: [4, 4, 8, 8, 8, 12, 16], features: 32 })

function recognise(shapes: Shapes): RecognisedNetwork {
  return recogniseNetwork(zeros(shapes), 'x.pt')
}

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

// Parameters by the definition in PyTorch, less its classifier.
test.each<readonly [number, Measures, number]>([
  [0.25, { stem: 8, stages: [8, 8, 8, 16, 24, 40, 80] }, 238_112],
  [0.35, { stem: 16, stages: [8, 8, 16, 24, 32, 56, 112] }, 396_128],
  [0.5, { stem: 16, stages: [8, 16, 16, 32, 48, 80, 160] }, 687_680],
  [0.75, { stem: 24, stages: [16, 24, 24, 48, 72, 120, 240] }, 1_355_424],
  [1, { stem: 32, stages: [16, 24, 32, 64, 96, 160, 320] }, 2_223_872],
  [1.3, { stem: 40, stages: [24, 32, 40, 80, 128, 208, 416], features: 1664 }, 3_721_792],
  [1.4, { stem: 48, stages: [24, 32, 48, 88, 136, 224, 448], features: 1792 }, 4_315_776],
])('of width %d', (width, measures, trunkParameters) => {
  const shapes = { ...trunkShapes(measures), ...linearShapes('classifier.1', measures.features ?? 1280, 1000) }
  const { architecture, outputs, used, weights } = recognise(shapes)
  expect(architecture).toMatchObject({ family: 'MobileNetV2', name: `MobileNetV2 ×${width}`, relus: 35 })
  expect(outputs).toEqual([{ output: 'classifier.1', outputs: 1000, bias: true }])
  const learned = [...used].filter((name) => /^(?!classifier).*\.(?:weight|bias)$/.test(name))
  expect(learned.reduce((sum, name) => sum + (weights.get(name)?.data.length ?? 0), 0)).toBe(trunkParameters)
})

test('it is built with 35 ReLU6 and halves the image five times', () => {
  const activations = builtActivations(recognise(yakhyo), 64)
  expect(activations.map(({ op }) => op)).toEqual(Array.from({ length: 35 }, () => 'relu6'))
  expect(activations.at(-1)?.shape).toEqual([1, 1280, 2, 2])
})

test("under SynergyNet's prefix", () => {
  const heads = { ...linearShapes('classifier_ori.1', 1280, 12), ...linearShapes('classifier_exp.1', 1280, 10) }
  const shapes = {
    param_mean: [62],
    ...withPrefix('I2P.backbone.', { ...plain, ...heads }),
    'forwardDirection.conv6.weight': [512, 2418, 1],
    ...normShapes('forwardDirection.bn6', 512),
  }
  const { architecture, outputs, notes } = recognise(shapes)
  expect(architecture.name).toBe('MobileNetV2 ×1')
  expect(outputs.map(({ output }) => output)).toEqual(['classifier_ori.1', 'classifier_exp.1'])
  expect(notes).toContain('forwardDirection.* (5 tensors) takes no part in the forward pass and is left out.')
})

test('of no published width', () => {
  expect(recognise({ ...narrow, ...linearShapes('fc', 32, 3) }).architecture.name).toBe(
    'MobileNetV2 of 4-4-4-8-8-8-12-16-32 channels',
  )
})

describe('the epsilon of batch norms', () => {
  const gaze = { ...plain, ...linearShapes('fc_yaw', 1280, 90), ...linearShapes('fc_pitch', 1280, 90) }
  const bins = { ...gaze, ...linearShapes('fc_roll', 1280, 90) }

  test.each<readonly [string, Shapes, object, RegExp]>([
    ['torchvision’s', bins, { epsilon: 1e-5 }, /taken as torchvision's 0\.00001:/],
    ['yakhyo’s of head poses', yakhyo, { epsilon: 1e-3, projectionEpsilon: 1e-5 }, /0\.001, and 0\.00001 in the proj/],
    ['yakhyo’s of gazes', gaze, { epsilon: 1e-3, projectionEpsilon: 1e-5 }, /0\.001, and 0\.00001 in the projections/],
  ])('%s is assumed, and said', (_, shapes, batchNorm, note) => {
    const recognised = recognise(shapes)
    expect(recognised.batchNorm).toEqual(batchNorm)
    expect(recognised.notes).toEqual([expect.stringMatching(note)])
  })

  test.each<readonly [string, Shapes, NonNullable<DescriptionOverride['batchNorm']>, object | undefined]>([
    ['nothing, torchvision’s', bins, {}, undefined],
    ['nothing, yakhyo’s', yakhyo, {}, { epsilon: 1e-3, projectionEpsilon: 1e-5 }],
    ['the usual one', bins, { epsilon: 1e-5 }, undefined],
    ['the usual one, where another is assumed', yakhyo, { epsilon: 1e-5 }, { epsilon: 1e-5, projectionEpsilon: 1e-5 }],
    ['another one', bins, { epsilon: 1e-3 }, { epsilon: 1e-3 }],
    ['the projections’ alone', bins, { projectionEpsilon: 1e-3 }, { epsilon: 1e-5, projectionEpsilon: 1e-3 }],
  ])('given %s, the description keeps it and resolves to itself', (_, shapes, batchNorm, kept) => {
    const heads = [{ output: 'fc_yaw', angle: 'yaw', step: 4, offset: -180 } as const]
    const others = ['fc_pitch', 'fc_roll'].map((output) => ({ output, step: 4, offset: -180 }))
    const given = shapes === bins ? { heads: [...heads, ...others] } : {}
    const resolved = (override: DescriptionOverride) => {
      const recognised = recogniseNetwork(zeros(shapes), 'x.pt', override.batchNorm)
      return { recognised, ...resolveDescription(recognised, override, 'x.pt') }
    }
    const first = resolved({ ...given, batchNorm })
    expect(first.description.batchNorm).toEqual(kept)
    const again = resolved(first.description)
    expect(again.description).toEqual(first.description)
    expect(again.recognised.batchNorm).toEqual(first.recognised.batchNorm)
  })

  test('each norm has the one that is meant for it', () => {
    const recognised = recognise(yakhyo)
    const norms = new Map<string, number>()
    const activations = builtActivations(recognised, 32)
    const pending = activations.flatMap(({ inputs }) => inputs)
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.op === 'batchNorm') norms.set(node.label, node.attributes.epsilon)
      if (!norms.has(node.label) || node.op === 'batchNorm')
        pending.push(...node.inputs.filter(({ op }) => op !== 'constant'))
    }
    expect(norms.get('features.0.1')).toBe(1e-3)
    expect(norms.get('features.1.conv.0.1')).toBe(1e-3)
    expect(norms.get('features.1.conv.2')).toBe(1e-5)
  })
})

describe('the first tensor that does not fit is named', () => {
  test.each(Object.keys(narrow))('without %s', (missing) => {
    expect(() => recognise(without(missing, { ...narrow, ...linearShapes('fc', 32, 6) }))).toThrow(
      refusal(new RegExp(`^x\\.pt lacks ${missing}: headlight builds MobileNetV2s in torchvision's layout;`)),
    )
  })

  test.each<readonly [string, Shapes, RegExp]>([
    ['kernels of 5', { 'features.3.conv.1.0.weight': [144, 1, 5, 5] }, /features\.3\.conv\.1\.0\.weight of shape/],
    [
      'a stage that begins elsewhere',
      { 'features.3.conv.2.weight': [32, 144, 1, 1] },
      /features\.3\.conv\.2\.weight of shape \[32, 144, 1, 1\] where \[24, 144, 1, 1\] belongs/,
    ],
    ['squeeze and excitation', { 'features.3.se.fc1.weight': [4, 144] }, /holds features\.3\.se\.fc1\.weight/],
  ])('%s', (_, changed, message) => {
    expect(() => recognise({ ...yakhyo, ...changed })).toThrow(refusal(message))
  })

  test('blocks of another number', () => {
    const stages = [16, 24, 32, 64, 96, 160, 320]
    const more = trunkShapes({ stem: 32, stages, blocks: [1, 2, 3, 4, 3, 4, 1] })
    expect(() => recognise({ ...more, ...linearShapes('linear_reg', 1280, 6) })).toThrow(
      refusal(/holds 18 inverted residuals, and which of them halve the image is not in weights but known for 17/),
    )
  })

  test('blocks as one flat list of layers', () => {
    const flat = Object.fromEntries(
      Object.entries(yakhyo).map(([name, shape]) => [name.replace(/(\.conv\.\d)\.(?=\d)/, '$1'), shape]),
    )
    expect(() => recognise(flat)).toThrow(refusal(/lacks features\.1\.conv\.0\.0\.weight/))
  })
})
