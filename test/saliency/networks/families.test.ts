import { describe, expect, test } from 'vitest'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { tinyWith } from '../../support/tinyNetwork.ts'
import { zeros } from '../../support/zeroWeights.ts'

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

test('weights of no known family are refused by what they begin with', () => {
  expect(() => recogniseNetwork(new Map(), 'x.pkl')).toThrow(
    refusal(/they begin with none at all.*torch\.onnx\.export/),
  )
  const odd = zeros({ 'a.weight': [1], 'b.weight': [1], 'c.weight': [1], 'd.weight': [1] })
  expect(() => recogniseNetwork(odd, 'x.pkl')).toThrow(
    refusal(
      /^x\.pkl holds weights of no family that headlight builds \(they begin with a\.weight, b\.weight, c\.weight\): export the network with torch\.onnx\.export and give the ONNX file$/,
    ),
  )
})

/** Names of tensors as the projects' own files have them. */
describe('a network that headlight does not build is told by what it holds', () => {
  test.each<readonly [network: string, tensor: string, others: readonly string[]]>([
    ['a vision transformer', 'cls_token', ['pos_embed', 'blocks.0.attn.qkv.weight']],
    ['a vision transformer', 'backbone.class_token', ['backbone.conv_proj.weight']],
    ['a Swin transformer', 'features.1.0.attn.relative_position_bias_table', ['features.0.0.weight']],
    ['a MobileNetV3 or an EfficientNet', 'features.1.0.block.0.0.weight', ['features.0.0.weight']],
    ['a MobileNetV3 or an EfficientNet', 'features.1.block.0.0.weight', ['features.0.0.weight', 'linear_reg.0.weight']],
    ['a MobileNetV3 or an EfficientNet', '_blocks.0._depthwise_conv.weight', ['_conv_stem.weight']],
    ['a MobileNetV3 or an EfficientNet', 'blocks.0.0.conv_dw.weight', ['conv_stem.weight', 'bn1.weight']],
    ['a ConvNeXt', 'features.1.0.layer_scale', ['features.0.0.weight']],
    ["a RepVGG or a MobileOne in timm's names", 'stem.conv_kxk.conv.weight', ['stages.0.0.conv_1x1.conv.weight']],
    ['a SqueezeNet', 'features.3.squeeze.weight', ['features.0.weight', 'features.0.bias']],
    ['a GoogLeNet or an Inception', 'inception3a.branch1.conv.weight', ['conv1.conv.weight']],
    ['a YOLO', 'model.2.cv1.conv.weight', ['model.0.conv.weight']],
    ['a U-Net', 'inc.double_conv.0.weight', ['down1.maxpool_conv.1.double_conv.0.weight', 'up1.up.weight']],
    ['a recurrent network', 'lstm.weight_ih_l0', ['lstm.weight_hh_l0', 'fc.weight']],
  ])('%s: %s', (network, tensor, others) => {
    const weights = zeros(Object.fromEntries([tensor, ...others].map((name) => [name, [4, 3, 3, 3]])))
    const why = /transformer|ConvNeXt/.test(network)
      ? 'which has no ReLU that could be guided, so headlight does not read it in any format'
      : /YOLO|U-Net|recurrent/.test(network)
        ? 'which headlight does not build'
        : 'which headlight does not build from weights alone: export the network with torch.onnx.export and give the ONNX file'
    const message = `x.pkl looks like ${network} (it holds ${tensor}), ${why}`
    expect(() => recogniseNetwork(weights, 'x.pkl')).toThrow(
      expect.objectContaining({ code: 'unsupported-network', message }),
    )
  })
})

describe('reparametrised weights are refused with the call that makes them plain', () => {
  test.each<readonly [said: string, call: string, ...parts: readonly string[]]>([
    ['fc.weight pruned, as fc.weight_mask', "prune.remove(layer, 'weight')", 'fc.weight_orig', 'fc.weight_mask'],
    ['fc.bias pruned, as fc.bias_mask', 'prune.remove', 'fc.weight', 'fc.bias_orig', 'fc.bias_mask'],
    ['fc.weight with weight norm, as fc.weight_g', 'remove_weight_norm(layer)', 'fc.weight_g', 'fc.weight_v'],
    [
      'fc.weight with spectral norm, as fc.weight_u',
      'remove_spectral_norm(layer)',
      'fc.weight_orig',
      'fc.weight_u',
      'fc.weight_v',
    ],
    [
      'conv1.weight parametrised, as conv1.parametrizations.weight.original0',
      "parametrize.remove_parametrizations(layer, 'weight')",
      'conv1.parametrizations.weight.original0',
      'conv1.parametrizations.weight.original1',
    ],
  ])('%s', (said, call, ...parts) => {
    const weights = zeros(Object.fromEntries(['layer1.0.conv1.weight', ...parts].map((name) => [name, [4, 3, 3, 3]])))
    expect(() => recogniseNetwork(weights, 'x.pth')).toThrow(
      expect.objectContaining({
        code: 'unsupported-network',
        message: expect.stringContaining(`x.pth stores ${said} and others: call torch.nn.utils.${call}`),
      }),
    )
  })

  test('but not where the plain weight lies beside them', () => {
    const names = ['layer1.0.conv1.weight', 'fc.weight', 'fc.weight_mask']
    const weights = zeros(Object.fromEntries(names.map((name) => [name, [4, 3, 3, 3]])))
    expect(() => recogniseNetwork(weights, 'x.pth')).toThrow(refusal(/lacks conv1\.weight/))
  })
})

test('of two families that both claim the weights the nearest one says what does not fit', () => {
  const mixed = new Map([
    ...tinyWith({ 'features.norm5.bias': null }),
    ...zeros({ 'layer1.0.conv1.weight': [8, 8, 3, 3] }),
  ])
  expect(() => recogniseNetwork(mixed, 'x.pkl')).toThrow(
    refusal(
      /lacks features\.norm5\.bias: headlight builds DenseNets in torchvision's layout; for any other, export the/,
    ),
  )
})
