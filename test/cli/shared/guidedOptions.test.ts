import { expect, test } from 'vitest'
import { guidedOptions } from '../../../src/cli/shared/guidedOptions.ts'
import type { Node } from '../../../src/saliency/graph.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import type { Network } from '../../../src/saliency/networks/network.ts'
import { make } from '../../../src/saliency/ops.ts'
import { resultSet } from '../../support/shard.ts'
import { tinyBytes } from '../../support/tinyNetwork.ts'

const tiny = loadNetwork(tinyBytes, 'tiny_hp.pkl')
const capped: Network = {
  ...tiny,
  recognised: {
    ...tiny.recognised,
    build: (_, image) => new Map([['classifier_yaw', relu6(relu6(make('relu', [image])))]]),
  },
}
function relu6(x: Node): Node {
  return make('relu6', [x])
}

const { options } = resultSet('file:///d/')
const plain = { ...options, relu6: 'plain' as const }

test('--relu6 plain that changes nothing names no other result set, and that is said', () => {
  expect(guidedOptions(plain, tiny)).toEqual({
    options,
    activations: [{ kind: 'relu', count: 21, guided: 21 }],
    note: '--relu6 plain changes nothing here: --scope all guides no ReLU6 of tiny_hp.pkl',
  })
  expect(guidedOptions(plain, tiny).options).not.toHaveProperty('relu6')
  expect(guidedOptions({ ...plain, scope: 'none' }, capped)).toMatchObject({
    options: { scope: 'none' },
    note: '--relu6 plain changes nothing here: --scope none guides nothing',
  })
  // The first activation is a ReLU.
  expect(guidedOptions({ ...plain, scope: 'stem' }, capped).options).not.toHaveProperty('relu6')
})

test('where it changes something it stays', () => {
  expect(guidedOptions(plain, capped)).toEqual({
    options: plain,
    activations: [
      { kind: 'relu', count: 1, guided: 1 },
      { kind: 'relu6', count: 2, guided: 0 },
    ],
    note: undefined,
  })
})

test('other options stay as they are, without a word', () => {
  expect(guidedOptions(options, capped)).toMatchObject({ options, note: undefined })
})
