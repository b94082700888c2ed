import { describe, expect, it } from 'vitest'
import { parseDescription } from '../../../../src/saliency/networks/descriptionFile.ts'
import { loadNetwork } from '../../../../src/saliency/networks/load.ts'
import { checkObjectives, parseObjectives } from '../../../../src/saliency/objective.ts'
import { ints, weights, type Step } from '../../../support/onnxCase.ts'
import { onnxModel } from '../../../support/onnxModel.ts'
import { linear, load, refusal, trunk, valuesOf } from '../../../support/onnxNetwork.ts'

describe('the outputs of an ONNX file', () => {
  it('are read by their names', () => {
    const network = load({ outputs: ['yaw', 'pitch'], steps: [...trunk, linear(66, 'yaw'), linear(1, 'pitch')] })
    expect(network.description.heads).toMatchObject([
      { kind: 'binned', output: 'yaw', angle: 'yaw', bins: 66 },
      { kind: 'value', output: 'pitch', angle: 'pitch' },
    ])
  })

  it('in the order of a name that has all three angles are those angles', () => {
    const { description } = load({ outputs: ['yaw_roll_pitch'], steps: [...trunk, linear(3, 'yaw_roll_pitch')] })
    expect(description.heads).toMatchObject([
      { angle: 'yaw', index: 0 },
      { angle: 'pitch', index: 2 },
      { angle: 'roll', index: 1 },
    ])
  })

  it('that are a Softmax are read before it, under their own name', () => {
    const steps: Step[] = [...trunk, linear(66, 'logits'), ['Softmax', ['logits'], 'yaw', { axis: 1 }]]
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
      linear(6, 'logits'),
      ['Reshape', ['logits', ints(...shape)], 'a'],
      ['Softmax', ['a'], 'y', attributes],
    ]
    expect(load({ opset, steps }).notes.join().includes('is read in its place')).toBe(isPassedOver)
  })

  it('that are a LogSoftmax are read before it, too', () => {
    const steps: Step[] = [...trunk, linear(6, 'logits'), ['LogSoftmax', ['logits'], 'y']]
    expect(load({ steps }).notes.join()).toMatch(/y is the \w+ of logits, which is read in its place/)
  })

  it('that are a Sigmoid are read as they are, with a note', () => {
    const steps: Step[] = [...trunk, linear(3, 'logits'), ['Sigmoid', ['logits'], 'y']]
    expect(load({ steps }).notes).toContain(
      'The output y is a Sigmoid and read as it is; to explain its logits, name logits as the output of a head.',
    )
  })

  it('that are called by numbers are proposed as YAML reads them, and read as YAML reads them without quotes', () => {
    const model = { outputs: ['136'], steps: [...trunk, linear(3, '136')] }
    const note = load(model).notes.join()
    const [, heads = ''] = /say so: (heads: .*)\.$/.exec(note) ?? []
    expect(heads).toContain('{output: "136", angle: yaw, index: 0}')
    const heeded = load(model, parseDescription(heads, 'net.onnx.yaml')).description.heads
    expect(heeded).toMatchObject([{ output: '136', angle: 'yaw' }, { angle: 'pitch' }, { angle: 'roll' }])
    expect(load(model, parseDescription(heads.replaceAll('"', ''), 'x')).description.heads).toEqual(heeded)
  })

  it('of bins that nobody knows are refused with a line that can be written', () => {
    const model = { outputs: ['a', 'b', 'c'], steps: [...trunk, linear(37, 'a'), linear(37, 'b'), linear(37, 'c')] }
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
    const steps: Step[] = [...trunk, linear(6, '/rotation/Gemm_output_0'), ['Sin', ['/rotation/Gemm_output_0'], 'y']]
    const heads = [{ output: '/rotation/Gemm_output_0', kind: 'rotation6d' }]
    const network = load({ steps }, { heads })
    expect(network.description.heads).toMatchObject(heads)
    expect(network.notes).toContain(
      'The output y is left out: it needs the operator Sin, which headlight does not compute.',
    )
  })

  it('name what hinders them, and the linear layers before that', () => {
    const steps: Step[] = [...trunk, linear(6, 'six'), ['Sin', ['six'], 'y']]
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
    const steps: Step[] = [...trunk, linear(3, '/a/y'), linear(3, 'b:y')]
    const network = load({ outputs: ['/a/y', 'b:y'], steps }, { heads: [{ output: 'b:y', kind: 'classes' }] })
    const check = (name: string) => () => checkObjectives(parseObjectives(name), network)
    expect(check('output:/a/y:2')).not.toThrow()
    expect(check('output:b_y:2')).not.toThrow()
    expect(check('output:b_y:3')).toThrow(/only 3 numbers in b:y \(0 to 2\)/)
    expect(check('output:c:0')).toThrow(/it has no output c; it has a_y, b_y/)
    const alike = load(
      { outputs: ['/a/y', 'a:y'], steps: [...trunk, linear(3, '/a/y'), linear(2, 'a:y')] },
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
    expect(() => load({ outputs: names, steps: [...trunk, ...names.map((name) => linear(3, name))] })).toThrow(
      refusal('bad-description', /the names of the outputs out0, out1, .*, out7 and 4 more do not say which angles/),
    )
  })

  it('that depend on it by a comparison alone are refused, since no gradient passes one', () => {
    const steps: Step[] = [...trunk, linear(3, 'three'), ['Less', ['three', weights(3)], 'y']]
    expect(() => load({ steps })).toThrow(
      refusal(
        'unsupported-network',
        /y: it does not depend on the image, or by comparisons alone, which no gradient passes/,
      ),
    )
  })

  it('that the description misspells are found', () => {
    expect(() =>
      load({ steps: [...trunk, linear(6)] }, { heads: [{ output: 'featurs', kind: 'rotation6d' }] }),
    ).toThrow(
      refusal(
        'bad-description',
        /a head names the output featurs, and no tensor in the file is called so; did you mean features\?/,
      ),
    )
  })
})
