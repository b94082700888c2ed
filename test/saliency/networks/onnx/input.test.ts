import { describe, expect, it } from 'vitest'
import { topological } from '../../../../src/saliency/graph.ts'
import { make } from '../../../../src/saliency/ops.ts'
import type { Step } from '../../../support/onnxCase.ts'
import type { Declared } from '../../../support/onnxModel.ts'
import { linear, load, refusal, trunk } from '../../../support/onnxNetwork.ts'

describe('the input of an ONNX file', () => {
  const withInput = (...inputs: Declared[]) => load({ inputs, steps: [...trunk, linear(3)] })

  it('is found where one has the axes of an image, with the size that the file says', () => {
    const { description, provenance } = withInput({ name: 'x', shape: ['n', 3, 24, 16] })
    expect(description.input).toMatchObject({ width: 16, height: 24, channels: 'rgb' })
    expect(provenance).toMatchObject({ 'input.width': 'found in the weights', 'input.channels': 'default' })
  })

  it('takes the size of the description, or 224, where the file leaves it open', () => {
    const open = { inputs: [{ name: 'x', shape: ['n', 3, 'h', 'w'] }], steps: [...trunk, linear(3)] }
    expect(load(open).description.input).toMatchObject({ width: 224, height: 224 })
    expect(load(open, { input: { width: 32, height: 48 } }).description.input).toMatchObject({ width: 32, height: 48 })
  })

  it('cannot have another size than the one that it was exported for', () => {
    expect(() => load({ steps: [...trunk, linear(3)] }, { input: { width: 32 } })).toThrow(
      refusal('bad-description', /^net\.onnx: input\.width is 32, and the file was exported for 16: export it for 32/),
    )
  })

  it.each([7, 4097])('of %i pixels a side is refused, since no description may say so', (side) => {
    expect(() => withInput({ name: 'x', shape: [1, 3, side, 16] })).toThrow(
      refusal('unsupported-network', /^net\.onnx takes pictures of another size \(x float 1×3×\d+×16\) than headlight/),
    )
  })

  it('may have its channels last', () => {
    const inputs = [{ name: 'image', shape: [1, 16, 16, 3] }]
    const steps: Step[] = [['Transpose', ['image'], 'x', { perm: [0, 3, 1, 2] }], ...trunk, linear(3)]
    const network = load({ inputs, steps })
    const image = make('input', [], { name: 'image', shape: [1, 3, 16, 16], dtype: 'float32' })
    const nodes = topological(network.recognised.build(network.weights, image).values())
    expect(nodes.filter(({ op }) => op === 'transpose')).toEqual([])
  })

  it('is laid out as the network can be computed where the axes leave it open', () => {
    const inputs = [{ name: 'image', shape: ['a', 'b', 'c', 'd'] }]
    const last: Step[] = [['Transpose', ['image'], 'x', { perm: [0, 3, 1, 2] }], ...trunk, linear(3)]
    expect(load({ inputs, steps: last }).recognised.outputs).toHaveLength(1)
    expect(load({ inputs: [{ name: 'x', shape: ['a', 'b', 'c', 'd'] }], steps: [...trunk, linear(3)] })).toBeDefined()
  })

  it('of bytes is shown pixels from 0 to 255', () => {
    const inputs: Declared[] = [{ name: 'pixels', shape: [1, 3, 16, 16], type: 'uint8' }]
    const { description } = load({ inputs, steps: [['Cast', ['pixels'], 'x', { to: 1 }], ...trunk, linear(3)] })
    expect(description.input).toMatchObject({ range: 255, mean: [0, 0, 0], std: [1, 1, 1] })
  })

  it('may stand among the weights, which files of the first versions list', () => {
    // c0 are those of the convolution, whose four axes could be an image's.
    const listed = { name: 'c0', shape: [4, 3, 3, 3] }
    expect(withInput({ name: 'x', shape: [1, 3, 16, 16] }, listed).recognised.outputs).toHaveLength(1)
  })

  it.each<[string, Declared[], RegExp]>([
    ['takes no image', [{ name: 'x', shape: [1, 512], type: 'int64' }], /takes no image: its inputs are x int64 1×512/],
    [
      'takes two',
      [
        { name: 'x', shape: [1, 3, 16, 16] },
        { name: 'other', shape: [1, 3, 16, 16] },
      ],
      /takes several images \(x, other\), and headlight explains one/,
    ],
    ['has four channels', [{ name: 'x', shape: [1, 4, 16, 16] }], /takes 4 channels \(x float 1×4×16×16\)/],
    ['has none', [], /takes no image: it has no input/],
  ])('that %s is refused', (_, inputs, message) => {
    expect(() => withInput(...inputs)).toThrow(refusal('unsupported-network', message))
  })
})
