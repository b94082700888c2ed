import { describe, expect, test } from 'vitest'
import { readWeights } from '../../../src/saliency/weights/read.ts'
import { tensor, torchZip, type Tensor } from '../../support/writeCheckpoint.ts'

function names(value: unknown): string[] {
  return [...readWeights(torchZip(value), 'x.pkl').tensors.keys()]
}

let key = 0
function weight(value = 0): Tensor {
  return tensor(String(key++), [1], [value])
}

describe('where the weights lie in the file', () => {
  test.each(['state_dict', 'model', 'model_state_dict', 'net', 'network', 'anything'])('under %s', (name) => {
    const optimiser = { state: { 0: { step: weight() } }, param_groups: [{ lr: 0.1 }] }
    expect(names({ epoch: 3, [name]: { 'w.weight': weight(), 'w.bias': weight() }, optimizer: optimiser })).toEqual([
      'w.weight',
      'w.bias',
    ])
  })

  test('nested, beside a loose tensor, and in a list', () => {
    expect(names({ checkpoint: { inner: { state_dict: { 'w.weight': weight() } } } })).toEqual(['w.weight'])
    expect(names({ best: weight(), state_dict: { 'conv0.weight': weight() } })).toEqual(['conv0.weight'])
    expect(names([{ 'w.weight': weight() }, 17])).toEqual(['w.weight'])
  })

  test('of several networks the usual name wins, and the file’s reader is told', () => {
    const file = torchZip({
      ema: { 'conv0.weight': weight(1), 'norm0.weight': weight(1) },
      state_dict: { 'conv0.weight': weight(2) },
    })
    const { tensors, notes } = readWeights(file, 'x.pkl')
    expect([...(tensors.get('conv0.weight')?.data ?? [])]).toEqual([2])
    expect(notes).toEqual(['The file holds several sets of weights; "state_dict" was taken, not "ema".'])
  })

  test('an average is not taken for the network beside it', () => {
    const network = { 'conv1.weight': tensor('c1', [1, 1, 1, 1], [1]) }
    const average = { 'conv1.weight': tensor('c2', [1, 1, 1, 1], [2]), 'fc.weight': weight() }
    for (const name of ['model_avg', 'shadow']) {
      expect(names({ [name]: average, model_weights: network })).toEqual(['conv1.weight'])
    }
  })

  test('layers beside the network are told of, an optimiser’s numbers are not', () => {
    const file = torchZip({
      backbone: { 'conv1.weight': tensor('c3', [1, 1, 1, 1], [1]) },
      head: { 'fc_yaw.weight': weight() },
      optimizer: { 'fc_yaw.weight': weight() },
    })
    expect(readWeights(file, 'x.pkl').notes).toEqual([
      'The file holds layers under "head" besides "backbone"; they were left out.',
    ])
  })

  test('an optimiser with more tensors than the network does not win', () => {
    const moments = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`m${i}`, weight()]))
    expect(names({ optimizer: moments, generator: { 'features.conv0.weight': weight() } })).toEqual([
      'features.conv0.weight',
    ])
  })
})

test('one weight twice, with and without a wrapper’s segment, is refused', () => {
  const twice = { 'features.conv0.weight': weight(), 'fc.weight': weight(), 'module.fc.weight': weight() }
  expect(() => names(twice)).toThrow(
    expect.objectContaining({
      code: 'unsupported-network',
      message: expect.stringMatching(/both fc\.weight and module\.fc\.weight/),
    }),
  )
})

test.each([['module.'], ['module.module.'], ['_orig_mod.module.'], ['']])(
  'wrappers’ segments "%s" are taken out',
  (prefix) => {
    expect(names({ [`${prefix}conv1.weight`]: weight(), [`${prefix}features.module.x`]: weight() })).toEqual([
      'conv1.weight',
      'features.x',
    ])
  },
)
