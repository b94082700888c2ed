import type { RecognisedNetwork } from '../../src/saliency/networks/family.ts'
import type { Tensors } from '../../src/saliency/weights/tensors.ts'
import { linearShapes, normShapes, withPrefix, type Shapes } from './layerShapes.ts'

/** Names and shapes of networks as people have them (`module.` taken off), by the names of headlight's ready descriptions. */
export const publishedShapes: Readonly<Record<string, Shapes>> = {
  '3ddfa-v2': { ...mobileNetV1(0.5), ...linearShapes('fc_param', 512, 62), ...linearShapes('fc_lm', 512, 136) },
  '3ddfa-v2 mb1': { ...mobileNetV1(1), ...linearShapes('fc_param', 1024, 62), ...linearShapes('fc_lm', 1024, 136) },
  '6drepnet': { ...repVggB1g2(), ...linearShapes('linear_reg', 2048, 6) },
  '6drepnet360': { ...resNet(50), ...linearShapes('linear_reg', 2048, 6) },
  hopenet: {
    ...resNet(50),
    ...outputs(['fc_yaw', 'fc_pitch', 'fc_roll'], 2048, 66),
    ...linearShapes('fc_finetune', 2051, 3),
  },
  'hopenet-lite': { ...shuffleNetV2(), ...outputs(['fc_y', 'fc_p', 'fc_r'], 1024, 66) },
  'imagenet-classifier': { ...resNet(18), ...linearShapes('fc', 512, 1000) },
  'imagenet-classifier MobileNetV2': { ...mobileNetV2(), ...linearShapes('classifier.1', 1280, 1000) },
  'imagenet-classifier ShuffleNetV2': { ...shuffleNetV2(), ...linearShapes('fc', 1024, 1000) },
  'imagenet-classifier VGG': vgg11(),
  'imagenet-classifier RepVGG': {
    ...withoutPrefix('layer', 'stage', repVggB1g2()),
    ...linearShapes('linear', 2048, 1000),
  },
  'l2cs-gaze360': { ...resNet(50), ...outputs(['fc_yaw_gaze', 'fc_pitch_gaze'], 2048, 90) },
  'l2cs-mpiigaze': { ...resNet(50), ...outputs(['fc_yaw_gaze', 'fc_pitch_gaze'], 2048, 28) },
  synergynet: {
    ...withPrefix('I2P.backbone.', {
      ...mobileNetV2(),
      ...linearShapes('classifier_ori.1', 1280, 12),
      ...linearShapes('classifier_shape.1', 1280, 40),
      ...linearShapes('classifier_exp.1', 1280, 10),
    }),
    param_mean: [62],
    param_std: [62],
    w_shp_base: [204, 40],
    'forwardDirection.conv1.weight': [64, 3, 1],
  },
  'yakhyo-gaze': { ...resNet(34), ...outputs(['fc_yaw', 'fc_pitch'], 512, 90) },
  'yakhyo-gaze-mobilenetv2': { ...mobileNetV2(), ...outputs(['fc_yaw', 'fc_pitch'], 1280, 90) },
  'yakhyo-mobilenetv2': { ...mobileNetV2(), ...linearShapes('linear_reg', 1280, 6) },
  'yakhyo-resnet18': { ...resNet(18), ...linearShapes('linear_reg', 512, 6) },
  'yakhyo-resnet34': { ...resNet(34), ...linearShapes('linear_reg', 512, 6) },
  'yakhyo-resnet50': { ...resNet(50), ...linearShapes('linear_reg', 2048, 6) },
}

/** What descriptions are resolved by, and fitted to. */
export type PublishedGraph = Pick<
  RecognisedNetwork,
  'architecture' | 'outputs' | 'smallestSide' | 'imageChannels' | 'batchNorm' | 'found'
>

/** ONNX files as people have them, by the names of headlight's ready descriptions. */
export const publishedGraphs: Readonly<Record<string, PublishedGraph>> = {
  '3ddfa-v2-onnx': graph(120, { output: 62 }),
  '6drepnet360-pinto': graph(224, { yaw_pitch_roll: 3 }),
  fsanet: graph(64, { output: 3 }, 376),
  'fsanet var': graph(64, { output: 3 }, 382),
  'intel-headpose': graph(60, { angle_y_fc: 1, angle_p_fc: 1, angle_r_fc: 1 }),
  'intel-headpose Caffe': graph(60, { fc_y: 1, fc_p: 1, fc_r: 1 }),
  'intel-headpose renamed': graph(60, { yaw: 1, pitch: 1, roll: 1 }),
  'shaw-b66': graph(224, { roll_logits: 66, yaw_logits: 66, pitch_logits: 66 }),
  uniface: graph(224, { rotation_matrix: 9 }),
  'yakhyo-onnx': graph(224, { rotation_matrix: 9 }),
}

function graph(side: number, outputs: Readonly<Record<string, number>>, operators = 100): PublishedGraph {
  return {
    architecture: { family: 'ONNX', name: `ONNX graph of ${operators} operators`, relus: 8 },
    outputs: Object.entries(outputs).map(([output, count]) => ({ output, outputs: count, bias: false })),
    smallestSide: 1,
    imageChannels: 3,
    batchNorm: { epsilon: 1e-5 },
    found: { width: side, height: side, isBytes: false },
  }
}

/** All zero, and all in one memory: enough to be recognised, at no cost. */
export function blankWeights(shapes: Shapes): Tensors {
  const size = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1)
  const memory = new Float32Array(Math.max(...Object.values(shapes).map(size)))
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [name, { shape, data: memory.subarray(0, size(shape)) }]),
  )
}

function outputs(names: readonly string[], ins: number, outs: number): Shapes {
  return Object.assign({}, ...names.map((name) => linearShapes(name, ins, outs))) as Shapes
}

function withoutPrefix(from: string, to: string, shapes: Shapes): Shapes {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name.replace(from, to), shape]))
}

function convolved(convolution: string, norm: string, shape: readonly [number, ...number[]]): Shapes {
  return { [`${convolution}.weight`]: shape, ...normShapes(norm, shape[0]) }
}

function resNet(depth: 18 | 34 | 50): Shapes {
  const shapes: Record<string, readonly number[]> = { ...convolved('conv1', 'bn1', [64, 3, 7, 7]) }
  let ins = 64
  for (const [index, count] of (depth === 18 ? [2, 2, 2, 2] : [3, 4, 6, 3]).entries()) {
    const planes = 64 * 2 ** index
    const outs = depth === 50 ? 4 * planes : planes
    for (let number = 0; number < count; number++) {
      const at = `layer${index + 1}.${number}`
      const parts: [number, ...number[]][] =
        depth === 50
          ? [
              [planes, ins, 1, 1],
              [planes, planes, 3, 3],
              [outs, planes, 1, 1],
            ]
          : [
              [planes, ins, 3, 3],
              [planes, planes, 3, 3],
            ]
      parts.forEach((shape, part) =>
        Object.assign(shapes, convolved(`${at}.conv${part + 1}`, `${at}.bn${part + 1}`, shape)),
      )
      if (number === 0 && (index > 0 || ins !== outs)) {
        Object.assign(shapes, convolved(`${at}.downsample.0`, `${at}.downsample.1`, [outs, ins, 1, 1]))
      }
      ins = outs
    }
  }
  return shapes
}

/** In deployed form, with 6DRepNet's names. */
function repVggB1g2(): Shapes {
  const shapes: Record<string, readonly number[]> = {}
  let ins = 3
  let block = 0
  for (const [stage, count] of [1, 4, 6, 16, 1].entries()) {
    const outs = [64, 128, 256, 512, 2048][stage] ?? 0
    for (let number = 0; number < count; number++, block++) {
      const name = `layer${stage}${stage === 0 ? '' : `.${number}`}.rbr_reparam`
      shapes[`${name}.weight`] = [outs, block > 0 && block % 2 === 0 ? ins / 2 : ins, 3, 3]
      shapes[`${name}.bias`] = [outs]
      ins = outs
    }
  }
  return shapes
}

function mobileNetV1(width: number): Shapes {
  const shapes: Record<string, readonly number[]> = { ...convolved('conv1', 'bn1', [32 * width, 3, 3, 3]) }
  const names = ['2_1', '2_2', '3_1', '3_2', '4_1', '4_2', '5_1', '5_2', '5_3', '5_4', '5_5', '5_6', '6']
  let ins = 32 * width
  for (const [index, name] of names.entries()) {
    const outs = ([64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024][index] ?? 0) * width
    Object.assign(
      shapes,
      convolved(`dw${name}.conv_dw`, `dw${name}.bn_dw`, [ins, 1, 3, 3]),
      convolved(`dw${name}.conv_sep`, `dw${name}.bn_sep`, [outs, ins, 1, 1]),
    )
    ins = outs
  }
  return shapes
}

function mobileNetV2(): Shapes {
  const shapes: Record<string, readonly number[]> = { ...convolved('features.0.0', 'features.0.1', [32, 3, 3, 3]) }
  let ins = 32
  let number = 1
  for (const [stage, count] of [1, 2, 3, 4, 3, 3, 1].entries()) {
    const outs = [16, 24, 32, 64, 96, 160, 320][stage] ?? 0
    for (let index = 0; index < count; index++, number++) {
      const at = `features.${number}.conv`
      const width = number === 1 ? ins : 6 * ins
      const layer = number === 1 ? 0 : 1
      if (number > 1) Object.assign(shapes, convolved(`${at}.0.0`, `${at}.0.1`, [width, ins, 1, 1]))
      Object.assign(
        shapes,
        convolved(`${at}.${layer}.0`, `${at}.${layer}.1`, [width, 1, 3, 3]),
        convolved(`${at}.${layer + 1}`, `${at}.${layer + 2}`, [outs, width, 1, 1]),
      )
      ins = outs
    }
  }
  return { ...shapes, ...convolved('features.18.0', 'features.18.1', [1280, 320, 1, 1]) }
}

function shuffleNetV2(): Shapes {
  const shapes: Record<string, readonly number[]> = { ...convolved('conv1.0', 'conv1.1', [24, 3, 3, 3]) }
  let ins = 24
  for (const [stage, count] of [4, 8, 4].entries()) {
    const half = [58, 116, 232][stage] ?? 0
    for (let number = 0; number < count; number++) {
      const at = `stage${stage + 2}.${number}.branch`
      if (number === 0) {
        Object.assign(
          shapes,
          convolved(`${at}1.0`, `${at}1.1`, [ins, 1, 3, 3]),
          convolved(`${at}1.2`, `${at}1.3`, [half, ins, 1, 1]),
        )
      }
      Object.assign(
        shapes,
        convolved(`${at}2.0`, `${at}2.1`, [half, number === 0 ? ins : half, 1, 1]),
        convolved(`${at}2.3`, `${at}2.4`, [half, 1, 3, 3]),
        convolved(`${at}2.5`, `${at}2.6`, [half, half, 1, 1]),
      )
      ins = 2 * half
    }
  }
  return { ...shapes, ...convolved('conv5.0', 'conv5.1', [1024, 464, 1, 1]) }
}

function vgg11(): Shapes {
  const convolutions: [number, number, number][] = [
    [0, 3, 64],
    [3, 64, 128],
    [6, 128, 256],
    [8, 256, 256],
    [11, 256, 512],
    [13, 512, 512],
    [16, 512, 512],
    [18, 512, 512],
  ]
  const shapes: Record<string, readonly number[]> = {}
  for (const [index, ins, outs] of convolutions) {
    shapes[`features.${index}.weight`] = [outs, ins, 3, 3]
    shapes[`features.${index}.bias`] = [outs]
  }
  return {
    ...shapes,
    ...linearShapes('classifier.0', 512 * 49, 4096),
    ...linearShapes('classifier.3', 4096, 4096),
    ...linearShapes('classifier.6', 4096, 1000),
  }
}
