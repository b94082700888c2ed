import { describe, expect, it } from 'vitest'
import { inspectNetwork } from '../../../../src/saliency/networks/inspect.ts'
import { loadNetwork } from '../../../../src/saliency/networks/load.ts'
import { weights, type Step } from '../../../support/onnxCase.ts'
import { onnxModel } from '../../../support/onnxModel.ts'
import { linear, load, refusal, trunk, valuesOf } from '../../../support/onnxNetwork.ts'

describe('an ONNX file', () => {
  it('of an operator set before 7 is refused with what to do', () => {
    expect(() => load({ opset: 6, steps: [...trunk, linear(3)] })).toThrow(
      refusal(
        'unsupported-network',
        /is of operator set 6, and headlight reads 7 and later: convert it with onnx\.version_converter/,
      ),
    )
  })

  it('of one newer than any that was tried is read with a note', () => {
    expect(load({ opset: 24, steps: [...trunk, linear(3)] }).notes.join()).toMatch(/Operator set 24 is newer than 20/)
    expect(load({ opset: 20, steps: [...trunk, linear(3)] }).notes.join()).not.toMatch(/newer/)
  })

  it('that ends early is refused as damaged', () => {
    const bytes = onnxModel({ steps: [...trunk, linear(3)] })
    expect(() => loadNetwork(bytes.subarray(0, bytes.length - 9), 'net.onnx')).toThrow(
      refusal('bad-checkpoint', /^net\.onnx is a damaged ONNX file: copy or download it again$/),
    )
  })

  it('may hold its weights in nodes', () => {
    const steps: Step[] = [...trunk, ['Constant', [], 'w', { value: weights(4, 3) }], ['Gemm', ['features', 'w'], 'y']]
    const network = load({ steps })
    expect(network.storedTypes).toEqual(['float32'])
    expect(inspectNetwork(network).parameters).toBe(4 * 3 * 3 * 3 + 4 * 3)
    const zero = { shape: [4, 3], data: new Float32Array(12) }
    const other = { ...network, weights: new Map([...network.weights, ['w', zero]]) }
    expect([...(valuesOf(other, 1).get('y') ?? [])]).toEqual([0, 0, 0])
  })

  it('whose weights are not finite is refused', () => {
    const infinite = { ...weights(4, 3), data: weights(4, 3).data.with(5, Infinity) }
    expect(() => load({ steps: [...trunk, ['Gemm', ['features', infinite], 'y']] })).toThrow(
      refusal(
        'bad-checkpoint',
        /^net\.onnx holds NaN or infinity in c1: export the network from an earlier checkpoint/,
      ),
    )
  })

  it('of more operators than any network has is refused', () => {
    const loop = Array.from({ length: 2 ** 14 }, (_, i): Step => ['Relu', [i === 0 ? 'conv' : `r${i - 1}`], `r${i}`])
    expect(() => load({ steps: [...trunk, ...loop, linear(3)] })).toThrow(
      refusal('unsupported-network', /^net\.onnx has 16389 operators, and headlight reads up to 16384: export/),
    )
  })

  it('is refused in a sentence that shows none of the long or strange names of a damaged one', () => {
    const long = 'x'.repeat(10_000)
    for (const [name, shown] of [
      ['line\nbreak\u001b[1m', /: y: it needs line\ufffdbreak\ufffd\[1m, which nothing in the file gives; a head/],
      [long, /: y: it needs x{200}…;/],
    ] as const) {
      expect(() => load({ steps: [...trunk, ['Relu', [name], 'y']] })).toThrow(refusal('unsupported-network', shown))
      expect(() => load({ outputs: [name], steps: [...trunk, linear(3, name)] })).toThrow(
        refusal(
          'unsupported-network',
          /: its name is empty, too long or no plain text; a head may name a tensor before/,
        ),
      )
    }
  })

  it('has its own epsilons', () => {
    expect(() => load({ steps: [...trunk, linear(3)] }, { batchNorm: { epsilon: 0.001 } })).toThrow(
      refusal('bad-description', /batchNorm\.epsilon is in the file itself/),
    )
  })
})
