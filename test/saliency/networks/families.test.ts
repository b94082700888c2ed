import { expect, test } from 'vitest'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { tinyWith } from '../../support/tinyNetwork.ts'
import { zeros } from '../../support/zeroWeights.ts'

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'unsupported-network', message: expect.stringMatching(message) })
}

test('weights of no known family are refused by what they look like', () => {
  expect(() => recogniseNetwork(new Map(), 'x.pkl')).toThrow(refusal(/begin with none at all.*DenseNets.*ResNets/))
  const transformer = zeros({ cls_token: [1, 1, 8], 'blocks.0.attn.qkv.weight': [24, 8] })
  expect(() => recogniseNetwork(transformer, 'x.pkl')).toThrow(refusal(/^x\.pkl looks like a vision transformer/))
})

test('of two families that both claim the weights the nearest one says what does not fit', () => {
  const mixed = new Map([
    ...tinyWith({ 'features.norm5.bias': null }),
    ...zeros({ 'layer1.0.conv1.weight': [8, 8, 3, 3] }),
  ])
  expect(() => recogniseNetwork(mixed, 'x.pkl')).toThrow(
    refusal(/lacks features\.norm5\.bias: headlight builds DenseNets/),
  )
})
