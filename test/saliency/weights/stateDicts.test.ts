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
    expect(names({ best: weight(), state_dict: { 'conv0.weight': weight() } })).toEqual(['features.conv0.weight'])
    expect(names([{ 'w.weight': weight() }, 17])).toEqual(['w.weight'])
  })

  test('of several networks the usual name wins, and the file’s reader is told', () => {
    const file = torchZip({
      ema: { 'conv0.weight': weight(1), 'norm0.weight': weight(1) },
      state_dict: { 'conv0.weight': weight(2) },
    })
    const { tensors, notes } = readWeights(file, 'x.pkl')
    expect([...(tensors.get('features.conv0.weight')?.data ?? [])]).toEqual([2])
    expect(notes).toEqual(['The file holds several sets of weights; "state_dict" was taken, not "ema".'])
  })

  test('an optimiser with more tensors than the network does not win', () => {
    const moments = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`m${i}`, weight()]))
    expect(names({ optimizer: moments, generator: { 'features.conv0.weight': weight() } })).toEqual([
      'features.conv0.weight',
    ])
  })
})

describe('names become torchvision’s', () => {
  const trunk = ['conv0.weight', 'norm0.bias', 'denseblock1.denselayer1.conv1.weight', 'transition1.norm.weight']

  test.each([
    ['features.', ''],
    ['module.features.', 'module.'],
    ['module.module.features.', 'module.module.'],
    ['_orig_mod.module.features.', '_orig_mod.module.'],
    ['features.module.', ''],
    ['backbone.features.', 'backbone.'],
    ['backbone.features.', ''],
    ['', ''],
    ['model.net.trunk.', 'model.net.'],
  ])('trunk under "%s", heads under "%s"', (prefix, headPrefix) => {
    const value = Object.fromEntries(
      [...trunk.map((name) => prefix + name), `${headPrefix}fc_yaw.weight`].map((name) => [name, weight()]),
    )
    expect(names(value)).toEqual([...trunk.map((name) => `features.${name}`), 'fc_yaw.weight'])
  })

  test('old spellings', () => {
    const old = {
      'features.denseblock1.denselayer12.norm.1.running_mean': weight(),
      'features.denseblock1.denselayer12.conv.2.weight': weight(),
    }
    expect(names({ 'features.conv0.weight': weight(), ...old })).toEqual([
      'features.conv0.weight',
      'features.denseblock1.denselayer12.norm1.running_mean',
      'features.denseblock1.denselayer12.conv2.weight',
    ])
  })

  test('two networks in one dictionary, or one weight twice, are refused', () => {
    const two = { 'a.conv0.weight': weight(), 'b.conv0.weight': weight() }
    const twice = { 'features.conv0.weight': weight(), 'fc.weight': weight(), 'module.fc.weight': weight() }
    expect(() => names(two)).toThrow(/2 DenseNets \(a\.conv0\.weight, b\.conv0\.weight\)/)
    expect(() => names(twice)).toThrow(
      expect.objectContaining({
        code: 'unsupported-network',
        message: expect.stringMatching(/both fc\.weight and module\.fc\.weight/),
      }),
    )
  })
})
