import { describe, expect, test } from 'vitest'
import { denseNetNames } from '../../../src/saliency/networks/densenetNames.ts'

function names(given: readonly string[]): string[] {
  return [...(denseNetNames(given, 'x.pkl') ?? new Map<string, string>()).values()]
}

describe('names become torchvision’s', () => {
  const trunk = ['conv0.weight', 'norm0.bias', 'denseblock1.denselayer1.conv1.weight', 'transition1.norm.weight']

  test.each([
    ['features.', ''],
    ['backbone.features.', 'backbone.'],
    ['backbone.features.', ''],
    ['', ''],
    ['model.net.trunk.', 'model.net.'],
  ])('trunk under "%s", heads under "%s"', (prefix, headPrefix) => {
    const given = [...trunk.map((name) => prefix + name), `${headPrefix}fc_yaw.weight`]
    expect(names(given)).toEqual([...trunk.map((name) => `features.${name}`), 'fc_yaw.weight'])
  })

  test('old spellings', () => {
    const old = [
      'features.denseblock1.denselayer12.norm.1.running_mean',
      'features.denseblock1.denselayer12.conv.2.weight',
    ]
    expect(names(['features.conv0.weight', ...old])).toEqual([
      'features.conv0.weight',
      'features.denseblock1.denselayer12.norm1.running_mean',
      'features.denseblock1.denselayer12.conv2.weight',
    ])
  })

  test('two networks in one dictionary, or one weight twice, are refused', () => {
    expect(() => names(['a.conv0.weight', 'b.conv0.weight'])).toThrow(
      /2 DenseNets \(a\.conv0\.weight, b\.conv0\.weight\)/,
    )
    const spelt = (part: string): string => `features.denseblock1.denselayer1.${part}.weight`
    expect(() => names(['features.conv0.weight', spelt('norm.1'), spelt('norm1')])).toThrow(
      expect.objectContaining({
        code: 'unsupported-network',
        message: expect.stringMatching(/both .*norm\.1\.weight and .*norm1\.weight/),
      }),
    )
  })

  test('of two heads that would be called alike one keeps its longer name', () => {
    const heads = ['net.fc.weight', 'net.fc.bias', 'fc.weight', 'net.fc_yaw.weight']
    expect(names(['net.features.conv0.weight', ...heads]).slice(1)).toEqual([
      'net.fc.weight',
      'net.fc.bias',
      'fc.weight',
      'fc_yaw.weight',
    ])
  })

  test('names of other networks are none of a DenseNet', () => {
    expect(denseNetNames(['conv1.weight', 'layer1.0.conv1.weight'], 'x.pkl')).toBeUndefined()
  })
})
