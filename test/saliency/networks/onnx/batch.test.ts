import { describe, expect, it } from 'vitest'
import { topological } from '../../../../src/saliency/graph.ts'
import { ints, weights, type Step } from '../../../support/onnxCase.ts'
import { built, linear, load, trunk, valuesOf } from '../../../support/onnxNetwork.ts'

describe('a batch of images through a file that was exported for one', () => {
  const chains: Readonly<Record<string, readonly Step[]>> = {
    'a reshape with the batch written out': [['Reshape', ['mean', ints(1, 4)], 'y']],
    'a reshape with the batch written out and the rest left open': [['Reshape', ['mean', ints(1, -1)], 'y']],
    'a channel shuffle': [
      ['Reshape', ['relu', ints(1, 2, 2, 8, 8)], 'split'],
      ['Transpose', ['split'], 'turned', { perm: [0, 2, 1, 3, 4] }],
      ['Reshape', ['turned', ints(1, 4, 8, 8)], 'joined'],
      ['Reshape', ['joined', ints(1, -1)], 'y'],
    ],
    'a constant that is concatenated': [['Concat', ['features', weights(1, 3)], 'y', { axis: 1 }]],
    'a product with weights': [linear(5)],
    'a product of two that depend on the image': [
      ['Reshape', ['relu', ints(1, 4, 64)], 'rows'],
      ['Transpose', ['rows'], 'columns', { perm: [0, 2, 1] }],
      ['MatMul', ['rows', 'columns'], 'gram'],
      ['Flatten', ['gram'], 'y'],
    ],
    'an arc tangent': [linear(5, 'a'), ['Atan', ['a'], 'y']],
    'the batch squeezed away': [['Squeeze', ['features', ints(0)], 'y']],
    'the batch moved to the end': [
      ['Transpose', ['features'], 'turned', { perm: [1, 0] }],
      ['MatMul', [weights(3, 4), 'turned'], 'product'],
      ['Transpose', ['product'], 'y', { perm: [1, 0] }],
    ],
    'a reshape that takes the batch for a part': [
      ['Reshape', ['relu', ints(4, 64)], 'rows'],
      ['ReduceMean', ['rows'], 'y', { axes: [1], keepdims: 0 }],
    ],
  }

  it.each(Object.entries(chains))('gives each what it gives alone: %s', (_, steps) => {
    const network = load({ steps: [...trunk, ...steps] })
    const [together, alone] = [valuesOf(network, 3), valuesOf(network, 1)]
    const y = together.get('y') ?? new Float64Array()
    const each = y.length / 3
    expect([...y.subarray(0, each)]).toEqual([...(alone.get('y') ?? [])])
    // The third image is the first one.
    expect([...y.subarray(2 * each)]).toEqual([...y.subarray(0, each)])
    expect([...y.subarray(each, 2 * each)]).not.toEqual([...y.subarray(0, each)])
  })

  it('is one copy of the network where images stay apart, and one for each image where they do not', () => {
    const convolutions = (steps: readonly Step[]): number => {
      const network = load({ steps: [...trunk, ...steps] })
      return topological(built(network, 3).values()).filter(({ op }) => op === 'conv').length
    }
    expect(convolutions(chains['a channel shuffle'] ?? [])).toBe(1)
    expect(convolutions(chains['the batch squeezed away'] ?? [])).toBe(3)
  })

  it('may be smaller than the one that it was exported for', () => {
    const inputs = [{ name: 'x', shape: [2, 3, 16, 16] }]
    const network = load({ inputs, steps: [...trunk, ['Reshape', ['mean', ints(2, 4)], 'y']] })
    expect(valuesOf(network, 1).get('y')).toHaveLength(4)
  })
})
