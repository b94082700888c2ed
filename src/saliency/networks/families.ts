import { InputError } from '../../base/errors.ts'
import { exportAdvice } from '../weights/exportAdvice.ts'
import type { Weights } from '../weights/read.ts'
import type { Tensors } from '../weights/tensors.ts'
import { denseNet } from './densenet.ts'
import type { GivenEpsilons, NetworkFamily, RecognisedNetwork } from './family.ts'
import { mobileNetV1 } from './mobilenetV1.ts'
import { mobileNetV2 } from './mobilenetV2.ts'
import { reparametrised } from './reparametrised.ts'
import { repVgg } from './repvgg.ts'
import { resNet } from './resnet.ts'
import { shuffleNetV2 } from './shufflenetV2.ts'
import { TrunkReader } from './trunkReader.ts'
import { vgg } from './vgg.ts'

/** Every family that headlight builds. A new one is its own file and a place in this list. */
const families: readonly NetworkFamily[] = [denseNet, resNet, repVgg, vgg, mobileNetV1, mobileNetV2, shuffleNetV2]

/**
 * The network that the weights make up; `given` is what the description says of batch norms, `unreadable` what lies beside
 * the weights (see `Weights`). InputError `unsupported-network` when no family knows them, by the nearest family's first
 * tensor that does not fit, or when two do; `bad-checkpoint` for a variance below zero.
 */
export function recogniseNetwork(
  weights: Tensors,
  file: string,
  given: GivenEpsilons = {},
  unreadable: Weights['unreadable'] = new Map(),
): RecognisedNetwork {
  const held = [...weights.keys(), ...unreadable.keys()]
  const recognised: { readonly name: string; readonly network: RecognisedNetwork }[] = []
  const refusals: { readonly placed: number; readonly error: InputError }[] = []
  for (const family of families) {
    let reader: TrunkReader | undefined
    try {
      const names = family.names(held, file)
      if (names === undefined) continue
      reader = new TrunkReader(underNames(weights, names), file, family, underNames(unreadable, names))
      recognised.push({ name: family.name, network: family.recognise(reader, given) })
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      refusals.push({ placed: reader?.placed.size ?? 0, error })
    }
  }
  const [first, second] = recognised
  if (first !== undefined && second !== undefined) {
    throw unsupported(
      file,
      `holds weights that make up both a ${first.name} and a ${second.name}: save one network alone`,
    )
  }
  if (first !== undefined) return first.network
  // The family that found a place for most tensors is the nearest one.
  const [nearest] = refusals.toSorted((a, b) => b.placed - a.placed)
  throw otherNetwork(held, file) ?? reparametrised(held, file) ?? nearest?.error ?? unknownNetwork(held, file)
}

function underNames<T>(byName: ReadonlyMap<string, T>, names: ReadonlyMap<string, string>): ReadonlyMap<string, T> {
  return new Map([...byName].map(([name, value]): [string, T] => [names.get(name) ?? name, value]))
}

/** Their activations are GELUs: whoever adds one to the families gains plain gradients alone. */
const withoutRelu = 'which has no ReLU that could be guided, so headlight does not read it in any format'

/** What they give is a list of boxes, or a plane, or needs loops. */
const notBuilt = 'which headlight does not build'

const notFromWeights = `which headlight does not build from weights alone: ${exportAdvice}`

/** Networks that headlight does not build, by the name of a tensor that no network has which it builds. */
const otherNetworks: readonly (readonly [network: string, telling: RegExp, why?: string])[] = [
  ['a Swin transformer', /(?:^|\.)relative_position_bias_table$/, withoutRelu],
  ['a vision transformer', /(?:^|\.)(?:cls_token|class_token|attn\.qkv\.weight)$/, withoutRelu],
  ['a MobileNetV3 or an EfficientNet', /(?:^|\.)features\.1\.(?:0\.)?block\.0\.0\.weight$/],
  ['a MobileNetV3 or an EfficientNet', /(?:^|\.)_blocks\.0\._depthwise_conv\.|(?:^|\.)blocks\.0\.0\.conv_dw\.weight$/],
  ['a ConvNeXt', /(?:^|\.)features\.1\.0\.layer_scale$|(?:^|\.)stages\.0\.blocks\.0\.conv_dw\.weight$/, withoutRelu],
  ["a RepVGG or a MobileOne in timm's names", /(?:^|\.)conv_kxk\./],
  ['a SqueezeNet', /(?:^|\.)features\.\d+\.squeeze\.weight$/],
  ['a GoogLeNet or an Inception', /(?:^|\.)(?:inception3a\.|Conv2d_1a_3x3\.|Mixed_5b\.)/],
  ['a YOLO', /(?:^|\.)model\.\d+\.(?:cv\d|m\.\d+)\./, notBuilt],
  ['a U-Net', /(?:^|\.)(?:inc\.double_conv|down\d\.maxpool_conv|upconv\d)\./, notBuilt],
  ['a recurrent network', /(?:^|\.)weight_ih_l0$/, notBuilt],
]

function unknownNetwork(names: readonly string[], file: string): InputError {
  const some = names.slice(0, 3).join(', ') || 'none at all'
  return unsupported(
    file,
    `holds weights of no family that headlight builds (they begin with ${some}): ${exportAdvice}`,
  )
}

/** Undefined where no name tells of a network that headlight does not build. */
function otherNetwork(names: readonly string[], file: string): InputError | undefined {
  for (const [network, telling, why = notFromWeights] of otherNetworks) {
    const name = names.find((one) => telling.test(one))
    if (name !== undefined) {
      return unsupported(file, `looks like ${network} (it holds ${name}), ${why}`)
    }
  }
  return undefined
}

function unsupported(file: string, what: string): InputError {
  return new InputError('unsupported-network', `${file} ${what}`)
}
