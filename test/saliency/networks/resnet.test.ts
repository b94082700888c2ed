import { describe, expect, test } from 'vitest'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { zeros } from '../../support/zeroWeights.ts'

type Shapes = Record<string, readonly number[]>

function norm(name: string, channels: number): Shapes {
  return Object.fromEntries(
    ['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [channels]]),
  )
}

interface Measures {
  readonly block: 'basic' | 'bottleneck'
  readonly blocks: readonly number[]
  readonly groups?: number
  /** Of a group in the first stage's 3×3 convolution. */
  readonly groupWidth?: number
  readonly channels?: number
}

/** Names and shapes of a ResNet as torchvision makes it, with a head of 6D rotation. */
function resNetShapes({ block, blocks, groups = 1, groupWidth = 64, channels = 3 }: Measures): Shapes {
  const shapes: Shapes = { 'conv1.weight': [64, channels, 7, 7], ...norm('bn1', 64) }
  let ins = 64
  blocks.forEach((count, index) => {
    const planes = 64 * 2 ** index
    const outs = block === 'basic' ? planes : 4 * planes
    const width = Math.trunc((planes * groupWidth) / 64) * groups
    for (let number = 0; number < count; number++) {
      const name = `layer${index + 1}.${number}`
      const parts: readonly [string, readonly number[]][] =
        block === 'basic'
          ? [
              ['1', [planes, ins, 3, 3]],
              ['2', [planes, planes, 3, 3]],
            ]
          : [
              ['1', [width, ins, 1, 1]],
              ['2', [width, width / groups, 3, 3]],
              ['3', [outs, width, 1, 1]],
            ]
      for (const [part, shape] of parts) {
        Object.assign(shapes, { [`${name}.conv${part}.weight`]: shape }, norm(`${name}.bn${part}`, shape[0] ?? 0))
      }
      if (number === 0 && (index > 0 || ins !== outs)) {
        Object.assign(
          shapes,
          { [`${name}.downsample.0.weight`]: [outs, ins, 1, 1] },
          norm(`${name}.downsample.1`, outs),
        )
      }
      ins = outs
    }
  })
  return { ...shapes, 'linear_reg.weight': [6, ins], 'linear_reg.bias': [6] }
}

const resNet18 = resNetShapes({ block: 'basic', blocks: [2, 2, 2, 2] })

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

describe('published sizes', () => {
  // Parameters of torchvision's own, less its classifier.
  test.each<readonly [string, Measures, number, number]>([
    ['ResNet-18', { block: 'basic', blocks: [2, 2, 2, 2] }, 17, 11_176_512],
    ['ResNet-34', { block: 'basic', blocks: [3, 4, 6, 3] }, 33, 21_284_672],
    ['ResNet-50', { block: 'bottleneck', blocks: [3, 4, 6, 3] }, 49, 23_508_032],
    ['ResNet-101', { block: 'bottleneck', blocks: [3, 4, 23, 3] }, 100, 42_500_160],
    ['ResNet-152', { block: 'bottleneck', blocks: [3, 8, 36, 3] }, 151, 58_143_808],
    ['ResNeXt-50 32×4d', { block: 'bottleneck', blocks: [3, 4, 6, 3], groups: 32, groupWidth: 4 }, 49, 22_979_904],
    ['ResNeXt-101 32×8d', { block: 'bottleneck', blocks: [3, 4, 23, 3], groups: 32, groupWidth: 8 }, 100, 86_742_336],
    ['ResNeXt-101 64×4d', { block: 'bottleneck', blocks: [3, 4, 23, 3], groups: 64, groupWidth: 4 }, 100, 81_406_272],
    ['Wide ResNet-50-2', { block: 'bottleneck', blocks: [3, 4, 6, 3], groupWidth: 128 }, 49, 66_834_240],
    ['Wide ResNet-101-2', { block: 'bottleneck', blocks: [3, 4, 23, 3], groupWidth: 128 }, 100, 124_837_696],
  ])('%s', (name, measures, relus, trunkParameters) => {
    const recognised = recogniseNetwork(zeros(resNetShapes(measures)), 'x.pth')
    expect(recognised.architecture).toMatchObject({ family: 'ResNet', name, relus })
    const learned = [...recognised.used].filter((tensor) => /^(?!linear_reg).*\.(?:weight|bias)$/.test(tensor))
    const count = learned.reduce((sum, tensor) => sum + (recognised.weights.get(tensor)?.data.length ?? 0), 0)
    expect(count).toBe(trunkParameters)
    expect(recognised.outputs).toEqual([{ output: 'linear_reg', outputs: 6, bias: true }])
  })
})

test.each(['', 'backbone.', 'model.net.'])('with the trunk under "%s"', (prefix) => {
  const named = Object.fromEntries(
    Object.entries(resNet18).map(([name, shape]) => [name.startsWith('linear_reg') ? name : prefix + name, shape]),
  )
  expect(recogniseNetwork(zeros(named), 'x.pth').architecture.name).toBe('ResNet-18')
})

test.each(['', 'features.'])('cut off as a Sequential of its children under "%s"', (prefix) => {
  const numbers: Record<string, string> = { conv1: '0', bn1: '1', layer1: '4', layer2: '5', layer3: '6', layer4: '7' }
  const numbered = Object.fromEntries(
    Object.entries(resNet18).map(([name, shape]) => [
      name.replace(/^(conv1|bn1|layer\d)(?=\.)/, (child) => prefix + (numbers[child] ?? '')),
      shape,
    ]),
  )
  expect(Object.keys(numbered)).toContain(`${prefix}4.0.conv1.weight`)
  const { architecture, outputs } = recogniseNetwork(zeros(numbered), 'x.pth')
  expect(architecture.name).toBe('ResNet-18')
  expect(outputs.map(({ output }) => output)).toEqual(['linear_reg'])
})

test('of two heads that would be called alike, one keeps its longer name and its bias', () => {
  const inside = Object.entries(resNet18).map(([name, shape]) => [
    `backbone.${name.replace('linear_reg', 'fc')}`,
    shape,
  ])
  const own = { 'fc.weight': [6, 512], 'backbone.fc_yaw.weight': [66, 512] }
  const { outputs } = recogniseNetwork(zeros({ ...(Object.fromEntries(inside) as Shapes), ...own }), 'x.pth')
  expect(outputs).toEqual([
    { output: 'backbone.fc', outputs: 6, bias: true },
    { output: 'fc', outputs: 6, bias: false },
    { output: 'fc_yaw', outputs: 66, bias: false },
  ])
})

test('what no weights tell is said', () => {
  const facts = (given?: { epsilon: number }) => recogniseNetwork(zeros(resNet18), 'x.pth', given).facts
  const wiring = "torchvision's strides and max pool, no dilation, ReLUs, global average"
  expect(facts()).toContainEqual(['assumed', `${wiring}, batch norm epsilon 0.00001: the weights do not say`])
  expect(facts({ epsilon: 0.001 })).toContainEqual(['assumed', `${wiring}: the weights do not say`])
})

test('a network of gray images', () => {
  const gray = resNetShapes({ block: 'basic', blocks: [1, 1], channels: 1 })
  const { imageChannels, architecture } = recogniseNetwork(zeros(gray), 'x.pth')
  expect(imageChannels).toBe(1)
  expect(architecture.name).toBe('ResNet of basic blocks 1-1')
})

test('what no output reaches is left out and said', () => {
  const more = {
    ...resNet18,
    'fc_finetune.weight': [3, 515],
    'fc_finetune.bias': [3],
    'metric.weight': [1000, 128],
    'criterion.weight': [66],
  }
  const { outputs, notes } = recogniseNetwork(zeros(more), 'x.pth')
  expect(outputs).toHaveLength(1)
  expect(notes).toEqual([
    'fc_finetune.* (2 tensors), metric.weight and criterion.weight take no part in the forward pass and are left out.',
  ])
})

describe('the first tensor that does not fit is named', () => {
  const trunk = Object.keys(resNet18).filter(
    (name) => !name.startsWith('linear_reg') && name !== 'layer1.0.conv1.weight',
  )

  test.each(trunk)('without %s', (missing) => {
    const rest = Object.fromEntries(Object.entries(resNet18).filter(([name]) => name !== missing))
    expect(() => recogniseNetwork(zeros(rest), 'x.pth')).toThrow(refusal(new RegExp(`x\\.pth lacks ${missing}: `)))
  })

  test('a deep stem, as ResNet-D has it', () => {
    const { 'conv1.weight': _, ...rest } = resNet18
    const deep = { 'conv1.0.weight': [32, 3, 3, 3], ...norm('conv1.1', 32), 'conv1.3.weight': [32, 32, 3, 3], ...rest }
    expect(() => recogniseNetwork(zeros(deep), 'x.pth')).toThrow(
      refusal(/^x\.pth has conv1\.0\.weight where conv1\.weight belongs: headlight builds ResNets/),
    )
  })

  test('a file that was cut off', () => {
    const upTo = (last: string): Shapes =>
      Object.fromEntries(Object.entries(resNet18).slice(0, Object.keys(resNet18).indexOf(last)))
    expect(() => recogniseNetwork(zeros(upTo('layer4.1.bn2.running_mean')), 'x.pth')).toThrow(
      refusal(/lacks layer4\.1\.bn2\.running_mean: /),
    )
    expect(() => recogniseNetwork(zeros(upTo('linear_reg.weight')), 'x.pth')).toThrow(
      refusal(/has no head: a weight of shape \[outputs, 512\] beside the trunk is missing/),
    )
  })

  test.each<readonly [string, Shapes, RegExp]>([
    ['a stem of three convolutions', { 'conv1.weight': [64, 3, 3, 3] }, /conv1\.weight of shape \[64, 3, 3, 3\]/],
    [
      'attention in a block',
      { 'layer1.0.ca.fc1.weight': [4, 64, 1, 1] },
      /holds layer1\.0\.ca\.fc1\.weight \[4, 64, 1, 1\]/,
    ],
    ['squeeze and excitation', { 'layer1.0.se.fc1.weight': [4, 64] }, /holds layer1\.0\.se\.fc1\.weight \[4, 64\]/],
    ['attention behind the stem', { 'ca.fc1.weight': [4, 64, 1, 1] }, /holds ca\.fc1\.weight \[4, 64, 1, 1\]/],
    ['a third block', { 'layer4.3.bn1.bias': [512] }, /lacks layer4\.2\.conv1\.weight/],
    ['a head behind a hidden layer', { 'fc_yaw.weight': [66, 256] }, /holds fc_yaw\.weight \[66, 256\]/],
    [
      'a hidden layer as wide as the features',
      { 'fc1.weight': [512, 512] },
      /holds fc1\.weight \[512, 512\], which may/,
    ],
    ['attention over the features', { 'attn.in_proj_weight': [1536, 512] }, /holds attn\.in_proj_weight/],
    ['a layer norm of the features', { 'last.weight': [512], 'last.bias': [512] }, /holds last\.weight \[512\]/],
    ['a PReLU before the heads', { 'prelu.weight': [1] }, /holds prelu\.weight \[1\]/],
    ['a pool with an exponent (GeM)', { 'avgpool.p': [1] }, /holds avgpool\.p \[1\]/],
    ['logits over a temperature', { temperature: [1] }, /holds temperature \[1\]/],
    [
      "an adapter (LoRA) of a head's weight",
      { 'fc.weight': [3, 512], 'fc.lora_B': [3, 4] },
      /holds fc\.lora_B \[3, 4\]/,
    ],
    [
      'a head with weight norm',
      { 'fc.weight_v': [3, 512], 'fc.weight_g': [3, 1] },
      /stores fc\.weight with weight norm/,
    ],
    ['groups that do not divide', { 'layer2.1.conv2.weight': [128, 48, 3, 3] }, /layer2\.1\.conv2/],
  ])('%s', (_, changed, message) => {
    expect(() => recogniseNetwork(zeros({ ...resNet18, ...changed }), 'x.pth')).toThrow(refusal(message))
  })
})
