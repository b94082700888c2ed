import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/saliency/engines/reference.ts'
import { elements, topological } from '../../../src/saliency/graph.ts'
import { parseDescription } from '../../../src/saliency/networks/descriptionFile.ts'
import { inspectNetwork } from '../../../src/saliency/networks/inspect.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import type { Network } from '../../../src/saliency/networks/network.ts'
import { checkObjectives, parseObjectives } from '../../../src/saliency/objective.ts'
import { make } from '../../../src/saliency/ops.ts'
import { ints, weights, type Step } from '../../support/onnxCase.ts'
import { onnxModel, type Declared, type OnnxModelOptions } from '../../support/onnxModel.ts'
import { seededRandom } from '../../support/operationExamples.ts'

/** Convolution, ReLU and mean: what most of these networks begin with. Gives `features`, N×4. */
const trunk: readonly Step[] = [
  ['Conv', ['x', weights(4, 3, 3, 3)], 'conv', { strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['Relu', ['conv'], 'relu'],
  ['GlobalAveragePool', ['relu'], 'mean'],
  ['Flatten', ['mean'], 'features'],
]

const head = (count: number, name = 'y'): Step => ['Gemm', ['features', weights(4, count)], name]

const load = (model: OnnxModelOptions, description?: unknown): Network =>
  loadNetwork(onnxModel(model), 'net.onnx', description)

const refusal = (code: string, message: RegExp): Error =>
  expect.objectContaining({ name: 'InputError', code, message: expect.stringMatching(message) as string }) as Error

describe('the input of an ONNX file', () => {
  const withInput = (...inputs: Declared[]) => load({ inputs, steps: [...trunk, head(3)] })

  it('is found where one has the axes of an image, with the size that the file says', () => {
    const { description, provenance } = withInput({ name: 'x', shape: ['n', 3, 24, 16] })
    expect(description.input).toMatchObject({ width: 16, height: 24, channels: 'rgb' })
    expect(provenance).toMatchObject({ 'input.width': 'found in the weights', 'input.channels': 'default' })
  })

  it('takes the size of the description, or 224, where the file leaves it open', () => {
    const open = { inputs: [{ name: 'x', shape: ['n', 3, 'h', 'w'] }], steps: [...trunk, head(3)] }
    expect(load(open).description.input).toMatchObject({ width: 224, height: 224 })
    expect(load(open, { input: { width: 32, height: 48 } }).description.input).toMatchObject({ width: 32, height: 48 })
  })

  it('cannot have another size than the one that it was exported for', () => {
    expect(() => load({ steps: [...trunk, head(3)] }, { input: { width: 32 } })).toThrow(
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
    const steps: Step[] = [['Transpose', ['image'], 'x', { perm: [0, 3, 1, 2] }], ...trunk, head(3)]
    const network = load({ inputs, steps })
    const image = make('input', [], { name: 'image', shape: [1, 3, 16, 16], dtype: 'float32' })
    const nodes = topological(network.recognised.build(network.weights, image).values())
    expect(nodes.filter(({ op }) => op === 'transpose')).toEqual([])
  })

  it('is laid out as the network can be computed where the axes leave it open', () => {
    const inputs = [{ name: 'image', shape: ['a', 'b', 'c', 'd'] }]
    const last: Step[] = [['Transpose', ['image'], 'x', { perm: [0, 3, 1, 2] }], ...trunk, head(3)]
    expect(load({ inputs, steps: last }).recognised.outputs).toHaveLength(1)
    expect(load({ inputs: [{ name: 'x', shape: ['a', 'b', 'c', 'd'] }], steps: [...trunk, head(3)] })).toBeDefined()
  })

  it('of bytes is shown pixels from 0 to 255', () => {
    const inputs: Declared[] = [{ name: 'pixels', shape: [1, 3, 16, 16], type: 'uint8' }]
    const { description } = load({ inputs, steps: [['Cast', ['pixels'], 'x', { to: 1 }], ...trunk, head(3)] })
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

describe('the outputs of an ONNX file', () => {
  it('are read by their names', () => {
    const network = load({ outputs: ['yaw', 'pitch'], steps: [...trunk, head(66, 'yaw'), head(1, 'pitch')] })
    expect(network.description.heads).toMatchObject([
      { kind: 'binned', output: 'yaw', angle: 'yaw', bins: 66 },
      { kind: 'value', output: 'pitch', angle: 'pitch' },
    ])
  })

  it('in the order of a name that has all three angles are those angles', () => {
    const { description } = load({ outputs: ['yaw_roll_pitch'], steps: [...trunk, head(3, 'yaw_roll_pitch')] })
    expect(description.heads).toMatchObject([
      { angle: 'yaw', index: 0 },
      { angle: 'pitch', index: 2 },
      { angle: 'roll', index: 1 },
    ])
  })

  it('that are a Softmax are read before it, under their own name', () => {
    const steps: Step[] = [...trunk, head(66, 'logits'), ['Softmax', ['logits'], 'yaw', { axis: 1 }]]
    const network = load({ outputs: ['yaw'], steps })
    expect(network.notes).toContain('The output yaw is the Softmax of logits, which is read in its place.')
    expect(valuesOf(network, 1).get('yaw')).toEqual(valuesOf(load({ outputs: ['logits'], steps }), 1).get('logits'))
    const again = loadNetwork(onnxModel({ outputs: ['yaw'], steps }), 'net.onnx', network.description)
    expect(again.description).toEqual(network.description)
  })

  it.each<[string, number, readonly number[], Readonly<Record<string, number>>, boolean]>([
    ['over the numbers of an image', 17, [1, 6], { axis: 1 }, true],
    ['over images', 17, [1, 6], { axis: 0 }, false],
    ['over an axis of one', 17, [1, 6, 1], {}, false],
    ['over columns of them', 17, [1, 2, 3], { axis: 1 }, false],
    ['up to operator set 12 over all axes from the second on', 11, [1, 1, 6], {}, true],
    ['of operator set 13 over the last axis, which is that of the numbers', 13, [1, 1, 6], {}, true],
  ])('that are a Softmax %s', (_, opset, shape, attributes, isPassedOver) => {
    const steps: Step[] = [
      ...trunk,
      head(6, 'logits'),
      ['Reshape', ['logits', ints(...shape)], 'a'],
      ['Softmax', ['a'], 'y', attributes],
    ]
    expect(load({ opset, steps }).notes.join().includes('is read in its place')).toBe(isPassedOver)
  })

  it('that are a LogSoftmax are read before it, too', () => {
    const steps: Step[] = [...trunk, head(6, 'logits'), ['LogSoftmax', ['logits'], 'y']]
    expect(load({ steps }).notes.join()).toMatch(/y is the \w+ of logits, which is read in its place/)
  })

  it('that are a Sigmoid are read as they are, with a note', () => {
    const steps: Step[] = [...trunk, head(3, 'logits'), ['Sigmoid', ['logits'], 'y']]
    expect(load({ steps }).notes).toContain(
      'The output y is a Sigmoid and read as it is; to explain its logits, name logits as the output of a head.',
    )
  })

  it('that are called by numbers are proposed as YAML reads them, and read as YAML reads them without quotes', () => {
    const model = { outputs: ['136'], steps: [...trunk, head(3, '136')] }
    const note = load(model).notes.join()
    const [, heads = ''] = /say so: (heads: .*)\.$/.exec(note) ?? []
    expect(heads).toContain('{output: "136", angle: yaw, index: 0}')
    const heeded = load(model, parseDescription(heads, 'net.onnx.yaml')).description.heads
    expect(heeded).toMatchObject([{ output: '136', angle: 'yaw' }, { angle: 'pitch' }, { angle: 'roll' }])
    expect(load(model, parseDescription(heads.replaceAll('"', ''), 'x')).description.heads).toEqual(heeded)
  })

  it('of bins that nobody knows are refused with a line that can be written', () => {
    const model = { outputs: ['a', 'b', 'c'], steps: [...trunk, head(37, 'a'), head(37, 'b'), head(37, 'c')] }
    expect(() => load(model)).toThrow(
      refusal('bad-description', /write heads: \[\{output: a, angle: yaw, step: …, offset: …\}\]/),
    )
    const said = {
      heads: ['yaw', 'pitch', 'roll'].map((angle, i) => ({ output: 'abc'[i], angle, step: 5, offset: -90 })),
    }
    expect(load(model, said).description.heads).toMatchObject([{ kind: 'binned', bins: 37 }, {}, {}])
    expect(() => load(model, { heads: [{ output: 'a', step: 5, offset: -90 }] })).toThrow(
      refusal('bad-description', /the angle of a is missing: add angle: yaw, pitch or roll/),
    )
  })

  it('may be any tensor that a head names', () => {
    const steps: Step[] = [...trunk, head(6, '/rotation/Gemm_output_0'), ['Sin', ['/rotation/Gemm_output_0'], 'y']]
    const heads = [{ output: '/rotation/Gemm_output_0', kind: 'rotation6d' }]
    const network = load({ steps }, { heads })
    expect(network.description.heads).toMatchObject(heads)
    expect(network.notes).toContain(
      'The output y is left out: it needs the operator Sin, which headlight does not compute.',
    )
  })

  it('name what hinders them, and the linear layers before that', () => {
    const steps: Step[] = [...trunk, head(6, 'six'), ['Sin', ['six'], 'y']]
    expect(() => load({ steps })).toThrow(
      refusal(
        'unsupported-network',
        /^net\.onnx gives nothing that headlight could compute: y: it needs the operator Sin, which headlight does not compute; a head may name a tensor before it, such as six \(1×6\)$/,
      ),
    )
    expect(() => load({ steps: [...trunk, ['Sin', ['features'], 'y']] })).toThrow(
      refusal(
        'unsupported-network',
        /; a head may name a tensor before it, such as mean \(1×4×1×1\), features \(1×4\)$/,
      ),
    )
    const product: Step[] = [
      ['MatMul', ['features', weights(4, 6)], 'product'],
      ['Add', ['product', weights(6)], 'biased'],
    ]
    expect(() => load({ steps: [...trunk, ...product, ['Sin', ['biased'], 'y']] })).toThrow(
      refusal('unsupported-network', /, such as biased \(1×6\)$/),
    )
  })

  it('that need another input name it', () => {
    const inputs = [
      { name: 'x', shape: [1, 3, 16, 16] },
      { name: 'box', shape: [1, 4] },
    ]
    expect(() => load({ inputs, steps: [...trunk, ['Add', ['features', 'box'], 'y']] })).toThrow(
      refusal('unsupported-network', /: y: it needs the input box, which is not the image; a head may name/),
    )
  })

  it.each<[string, Step, RegExp]>([
    ['layers of transformers', ['Gelu', ['features'], 'y'], /the operator Gelu, .*transformers and ConvNeXts/],
    [
      'quantised operators',
      ['QLinearConv', ['features'], 'y'],
      /the operator QLinearConv.*a quantised network has no gradient/,
    ],
    ['control flow', ['Loop', ['features'], 'y'], /the operator Loop.*computes no loops/],
    ['custom domains', ['acme.Attend', ['features'], 'y'], /the operator acme\.Attend.*no operator of ONNX itself/],
    ['sequences', ['SequenceConstruct', ['features'], 'y'], /the operator SequenceConstruct.*computes no sequences/],
  ])('are refused by name for %s', (_, step, message) => {
    expect(() => load({ steps: [...trunk, step] })).toThrow(refusal('unsupported-network', message))
  })

  it('are named in an objective without what no folder may be called', () => {
    const steps: Step[] = [...trunk, head(3, '/a/y'), head(3, 'b:y')]
    const network = load({ outputs: ['/a/y', 'b:y'], steps }, { heads: [{ output: 'b:y', kind: 'classes' }] })
    const check = (name: string) => () => checkObjectives(parseObjectives(name), network)
    expect(check('output:/a/y:2')).not.toThrow()
    expect(check('output:b_y:2')).not.toThrow()
    expect(check('output:b_y:3')).toThrow(/only 3 numbers in b:y \(0 to 2\)/)
    expect(check('output:c:0')).toThrow(/it has no output c; it has a_y, b_y/)
    const alike = load(
      { outputs: ['/a/y', 'a:y'], steps: [...trunk, head(3, '/a/y'), head(2, 'a:y')] },
      { heads: [{ output: 'a:y', kind: 'classes' }] },
    )
    expect(() => checkObjectives(['output:a_y:0'], alike)).toThrow(
      /it has several outputs that are written a_y: \/a\/y, a:y; list the one that you mean under heads/,
    )
  })

  it('that do not depend on the image are refused', () => {
    expect(() => load({ steps: [...trunk, ['Gemm', [weights(1, 4), weights(4, 3)], 'y']] })).toThrow(
      refusal('unsupported-network', /y: it does not depend on the image/),
    )
  })

  it('of which there are many are not all listed', () => {
    const names = Array.from({ length: 12 }, (_, i) => `out${i}`)
    expect(() => load({ outputs: names, steps: [...trunk, ...names.map((name) => head(3, name))] })).toThrow(
      refusal('bad-description', /the names of the outputs out0, out1, .*, out7 and 4 more do not say which angles/),
    )
  })

  it('that depend on it by a comparison alone are refused, since no gradient passes one', () => {
    const steps: Step[] = [...trunk, head(3, 'three'), ['Less', ['three', weights(3)], 'y']]
    expect(() => load({ steps })).toThrow(
      refusal(
        'unsupported-network',
        /y: it does not depend on the image, or by comparisons alone, which no gradient passes/,
      ),
    )
  })

  it('that the description misspells are found', () => {
    expect(() => load({ steps: [...trunk, head(6)] }, { heads: [{ output: 'featurs', kind: 'rotation6d' }] })).toThrow(
      refusal(
        'bad-description',
        /a head names the output featurs, and no tensor in the file is called so; did you mean features\?/,
      ),
    )
  })
})

describe('an ONNX file', () => {
  it('of an operator set before 7 is refused with what to do', () => {
    expect(() => load({ opset: 6, steps: [...trunk, head(3)] })).toThrow(
      refusal(
        'unsupported-network',
        /is of operator set 6, and headlight reads 7 and later: convert it with onnx\.version_converter/,
      ),
    )
  })

  it('of one newer than any that was tried is read with a note', () => {
    expect(load({ opset: 24, steps: [...trunk, head(3)] }).notes.join()).toMatch(/Operator set 24 is newer than 20/)
    expect(load({ opset: 20, steps: [...trunk, head(3)] }).notes.join()).not.toMatch(/newer/)
  })

  it('that ends early is refused as damaged', () => {
    const bytes = onnxModel({ steps: [...trunk, head(3)] })
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
    expect(() => load({ steps: [...trunk, ...loop, head(3)] })).toThrow(
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
      expect(() => load({ outputs: [name], steps: [...trunk, head(3, name)] })).toThrow(
        refusal(
          'unsupported-network',
          /: its name is empty, too long or no plain text; a head may name a tensor before/,
        ),
      )
    }
  })

  it('has its own epsilons', () => {
    expect(() => load({ steps: [...trunk, head(3)] }, { batchNorm: { epsilon: 0.001 } })).toThrow(
      refusal('bad-description', /batchNorm\.epsilon is in the file itself/),
    )
  })
})

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
    'a product with weights': [head(5)],
    'a product of two that depend on the image': [
      ['Reshape', ['relu', ints(1, 4, 64)], 'rows'],
      ['Transpose', ['rows'], 'columns', { perm: [0, 2, 1] }],
      ['MatMul', ['rows', 'columns'], 'gram'],
      ['Flatten', ['gram'], 'y'],
    ],
    'an arc tangent': [head(5, 'a'), ['Atan', ['a'], 'y']],
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

function built(network: Network, batch: number) {
  const { recognised, weights: tensors } = network
  const image = make('input', [], { name: 'image', shape: [batch, 3, 16, 16], dtype: 'float32' })
  return recognised.build(tensors, image)
}

/** What a network gives for two images by turns. */
function valuesOf(network: Network, batch: number): Map<string, Float64Array> {
  const random = seededRandom(3)
  const images = Array.from({ length: 2 }, () => Float64Array.from({ length: elements([3, 16, 16]) }, random))
  const pixels = Array.from({ length: batch }, (_, at) => [...(images[at % 2] ?? [])]).flat()
  return evaluate({ outputs: built(network, batch) }, new Map([['image', pixels]]))
}
