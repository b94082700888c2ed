import { describe, expect, test } from 'vitest'
import type { Node } from '../../src/saliency/graph.ts'
import { countActivations, guidanceText, requireGuided, type Guidance } from '../../src/saliency/guidance.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import type { Network } from '../../src/saliency/networks/network.ts'
import { constant, make } from '../../src/saliency/ops.ts'
import { tinyBytes } from '../support/tinyNetwork.ts'

const tiny = loadNetwork(tinyBytes, 'tiny_hp.pkl')

const relu = (x: Node) => make('relu', [x])
const relu6 = (x: Node) => make('relu6', [x])
const prelu = (x: Node) => make('prelu', [x, constant([0.25], [1])])

const hardSwish = (x: Node) => make('mul', [x, make('hardSigmoid', [x], { alpha: 1 / 6, beta: 0.5 })])

/** A network whose outputs are these of its image. */
function networkOf(outputs: (image: Node) => Readonly<Record<string, Node>>): Network {
  const build: Network['recognised']['build'] = (_, image) => new Map(Object.entries(outputs(image)))
  return { ...tiny, recognised: { ...tiny.recognised, build } }
}

/** Three ReLU6, then a ReLU and a PReLU, before the only output that is read. */
const mixed = networkOf((image) => ({ classifier_yaw: prelu(relu(relu6(relu6(relu6(image))))) }))

const told = (network: Network, how: Guidance) => guidanceText(countActivations(network, how), how)

describe('the activations of a network', () => {
  test('are counted by kind, in the order in which gradients leave them', () => {
    expect(countActivations(mixed, { scope: 'all' })).toEqual([
      { kind: 'relu6', count: 3, guided: 3 },
      { kind: 'relu', count: 1, guided: 1 },
      { kind: 'prelu', count: 1, guided: 1 },
    ])
    expect(countActivations(tiny, { scope: 'all' })).toEqual([{ kind: 'relu', count: 21, guided: 21 }])
  })

  test('are those between the image and the outputs that the description reads', () => {
    const beside = networkOf((image) => ({
      classifier_yaw: relu(image),
      classifier_pitch: relu6(constant([1, 2, 3], [1, 3])),
      fc_finetune: relu(relu(image)),
    }))
    expect(countActivations(beside, { scope: 'all' })).toEqual([{ kind: 'relu', count: 1, guided: 1 }])
  })

  test.each<[Guidance, string]>([
    [{ scope: 'all' }, '3 ReLU6 guided (0 < x < 6), 1 ReLU guided, 1 PReLU guided'],
    [{ scope: 'all', relu6: 'plain' }, '3 ReLU6 plain (--relu6 plain), 1 ReLU guided, 1 PReLU guided'],
    [
      { scope: 'stem' },
      '1 ReLU6 guided (0 < x < 6), 2 ReLU6 plain (scope stem), 1 ReLU plain (scope stem), 1 PReLU plain (scope stem)',
    ],
    [{ scope: 'stem', relu6: 'plain' }, '3 ReLU6 plain (--relu6 plain), 1 ReLU guided, 1 PReLU plain (scope stem)'],
    [
      { scope: 'none', relu6: 'plain' },
      '3 ReLU6 plain (scope none), 1 ReLU plain (scope none), 1 PReLU plain (scope none)',
    ],
  ])('are told for %j', (how, text) => {
    expect(told(mixed, how)).toBe(text)
  })

  test('are told of a network as it is found most', () => {
    expect(told(tiny, { scope: 'all' })).toBe('21 ReLUs guided')
    expect(told(tiny, { scope: 'stem' })).toBe('1 ReLU guided, 20 ReLUs plain (scope stem)')
    expect(
      told(
        networkOf((image) => ({ classifier_yaw: image })),
        { scope: 'none' },
      ),
    ).toBe('none')
  })

  test('of kinds that are never guided are told so, whatever the scope', () => {
    const hard = networkOf((image) => ({ classifier_yaw: relu(hardSwish(hardSwish(make('sigmoid', [image])))) }))
    expect(countActivations(hard, { scope: 'all' })).toEqual([
      { kind: 'sigmoid', count: 1, guided: 0 },
      { kind: 'hardSwish', count: 2, guided: 0 },
      { kind: 'relu', count: 1, guided: 1 },
    ])
    const never = '1 sigmoid plain (never guided), 2 hard-swish plain (never guided)'
    expect(told(hard, { scope: 'stem' })).toBe(`${never}, 1 ReLU guided`)
    expect(told(hard, { scope: 'none' })).toBe(`${never}, 1 ReLU plain (scope none)`)
    const kinds = ['tanh', 'hardSigmoid', 'silu', 'clip'].map((kind) => ({ kind, count: 2, guided: 0 }))
    expect(guidanceText(kinds, { scope: 'all' })).toBe(
      '2 tanh plain (never guided), 2 hard sigmoids plain (never guided), 2 SiLUs plain (never guided), 2 clips plain (never guided)',
    )
  })

  test('of a kind that a later version counts are told all the same', () => {
    expect(guidanceText([{ kind: 'gelu', count: 2, guided: 0 }], { scope: 'all' })).toBe('2 gelu plain (scope all)')
  })
})

describe('a scope that guides', () => {
  const refusal = (network: Network, how: Guidance) => () =>
    requireGuided(countActivations(network, how), how, 'model.pth')
  const linear = networkOf((image) => ({ classifier_yaw: image }))
  const capped = networkOf((image) => ({ classifier_yaw: relu6(relu6(image)) }))

  test.each(['all', 'stem'] as const)('%s refuses a network without any activation, and says what to do', (scope) => {
    expect(refusal(linear, { scope })).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'nothing-to-guide' }) as Error,
    )
    expect(refusal(linear, { scope })).toThrow(
      `model.pth has no ReLU, ReLU6 or PReLU between its image and its outputs, so --scope ${scope} has nothing to guide: give --scope none`,
    )
  })

  test('refuses one whose ReLU6 are all to stay plain', () => {
    expect(refusal(capped, { scope: 'all', relu6: 'plain' })).toThrow(
      'has nothing but 2 ReLU6 between its image and its outputs, so --scope all has nothing to guide: give --relu6 guided, or --scope none',
    )
    expect(refusal(capped, { scope: 'all' })).not.toThrow()
  })

  test('refuses one whose activations are never guided, and names them', () => {
    const swished = networkOf((image) => ({ classifier_yaw: make('tanh', [hardSwish(hardSwish(image))]) }))
    expect(refusal(swished, { scope: 'all' })).toThrow(
      'model.pth has no ReLU, ReLU6 or PReLU between its image and its outputs (never guided: 2 hard-swish, 1 tanh), so --scope all has nothing to guide: give --scope none',
    )
    const both = networkOf((image) => ({ classifier_yaw: relu6(hardSwish(image)) }))
    expect(refusal(both, { scope: 'all', relu6: 'plain' })).toThrow(
      'has nothing but 1 ReLU6 between its image and its outputs (never guided: 1 hard-swish), so --scope all has nothing to guide: give --relu6 guided, or --scope none',
    )
    expect(refusal(both, { scope: 'stem' })).not.toThrow()
  })

  test('is not none, which takes any network', () => {
    for (const network of [linear, capped]) expect(refusal(network, { scope: 'none', relu6: 'plain' })).not.toThrow()
  })
})
