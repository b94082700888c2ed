import { describe, expect, test } from 'vitest'
import { recogniseNetwork } from '../../../src/saliency/networks/families.ts'
import { checkOverride } from '../../../src/saliency/networks/override.ts'
import { resolveDescription, type ResolvedDescription } from '../../../src/saliency/networks/resolve.ts'
import { tinyWithHeads } from '../../support/tinyNetwork.ts'

function resolve(heads: Readonly<Record<string, readonly number[]>>, override: unknown = {}): ResolvedDescription {
  return resolveDescription(recogniseNetwork(tinyWithHeads(heads), 'x.pkl'), checkOverride(override, 'x.pkl'), 'x.pkl')
}

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'bad-description', message: expect.stringMatching(message) })
}

const three = { fc_yaw: [61, 32], fc_pitch: [61, 32], fc_roll: [61, 32] }

test('of a ready description that speaks of another output it is said how to change it', () => {
  const recognised = recogniseNetwork(tinyWithHeads({ fc: [6, 32] }), 'x.pkl')
  const ready = checkOverride({ heads: [{ kind: 'rotation6d', output: 'linear_reg' }] }, 'x.pkl')
  expect(() => resolveDescription(recognised, ready, 'x.pkl', new Map(), '6drepnet')).toThrow(
    refusal(
      /the file has fc: if that is the same by another name, copy headlight's config\/networks\/6drepnet\.yaml to x\.pkl\.yaml, write output: fc there, and leave out --description/,
    ),
  )
  expect(() => resolveDescription(recognised, ready, 'x.pkl', new Map(), './own.yaml')).toThrow(
    refusal(/the file has fc: write output: fc \(in \.\/own\.yaml\)$/),
  )
})

describe('what is found and assumed', () => {
  test('torchvision’s preprocessing is the default, and marked as one', () => {
    const { description, provenance } = resolve(three)
    expect(description.input).toEqual({
      width: 224,
      height: 224,
      resize: 'shorter-side',
      channels: 'rgb',
      range: 1,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    })
    const inputs = Object.entries(provenance).filter(([path]) => path.startsWith('input.'))
    expect(inputs.map(([path]) => path.slice(6)).toSorted()).toEqual(Object.keys(description.input).toSorted())
    expect(new Set(inputs.map(([, from]) => from))).toEqual(new Set(['default']))
  })

  test('61 bins reach from −90° by 3°, 66 bins from −99°', () => {
    const { description, provenance } = resolve({ fc_yaw: [61, 32], fc_pitch: [66, 32] })
    expect(description.heads).toEqual([
      { kind: 'binned', output: 'fc_yaw', angle: 'yaw', bins: 61, step: 3, offset: -90, sign: 1 },
      { kind: 'binned', output: 'fc_pitch', angle: 'pitch', bins: 66, step: 3, offset: -99, sign: 1 },
    ])
    expect(provenance).toMatchObject({
      'heads.0.kind': 'found in the weights',
      'heads.0.output': 'found in the weights',
      'heads.0.angle': 'found in the weights',
      'heads.0.bins': 'found in the weights',
      'heads.0.step': 'default',
      'heads.0.offset': 'default',
      'heads.0.sign': 'default',
    })
  })

  test('one output is a value in degrees', () => {
    expect(resolve({ head_Roll: [1, 32] }).description.heads).toEqual([
      { kind: 'value', output: 'head_Roll', angle: 'roll', unit: 'degrees', sign: 1 },
    ])
  })

  test('heads come as yaw, pitch, roll whatever the file’s order', () => {
    const { description } = resolve({ fc_roll: [61, 32], fc_pitch: [61, 32], fc_yaw: [61, 32] })
    expect(description.heads.map(({ output }) => output)).toEqual(['fc_yaw', 'fc_pitch', 'fc_roll'])
  })

  test('three like heads whose names tell nothing are yaw, pitch, roll, and that is said', () => {
    const { description, provenance, notes } = resolve({ b: [66, 32], c: [66, 32], a: [66, 32] })
    expect(description.heads).toMatchObject([
      { output: 'b', angle: 'yaw' },
      { output: 'c', angle: 'pitch' },
      { output: 'a', angle: 'roll' },
    ])
    expect(provenance['heads.0.angle']).toBe('default')
    expect(notes).toEqual([
      "The names of the outputs b, c, a do not say which angles they give: they are taken, in the file's order, as yaw, pitch, roll.",
    ])
  })

  test('a single output without an angle gives classes', () => {
    const { description, provenance } = resolve({ classifier: [1000, 32] })
    expect(description.heads).toEqual([{ kind: 'classes', output: 'classifier', classes: 1000 }])
    expect(provenance['heads.0.classes']).toBe('found in the weights')
  })

  test('a classifier beside heads with angles is left out, and that is said', () => {
    const { description, notes } = resolve({ classifier: [1000, 32], ...three })
    expect(description.heads).toHaveLength(3)
    expect(notes).toEqual(['The output classifier is left out: nothing says that it gives an angle.'])
  })

  test('two outputs whose names tell nothing need a description', () => {
    expect(() => resolve({ a: [61, 32], b: [61, 32] })).toThrow(
      refusal(/^x\.pkl: the names of the outputs a, b do not say which angles they give.*\(in x\.pkl\.yaml\)/),
    )
  })

  test('other bin counts need step and offset', () => {
    expect(() => resolve({ fc_yaw: [91, 32] })).toThrow(
      refusal(/fc_yaw has 91 bins.*angle: yaw, step: …, offset: …\}\].*x\.pkl\.yaml/),
    )
    const heads = [{ output: 'fc_yaw', step: 2, offset: -89 }]
    expect(resolve({ fc_yaw: [91, 32] }, { heads }).description.heads).toMatchObject([
      { bins: 91, step: 2, offset: -89 },
    ])
    expect(() => resolve({ fc_yaw: [91, 32] }, { heads: [{ output: 'fc_yaw', step: 2 }] })).toThrow(refusal(/91 bins/))
  })

  test('two outputs of one angle need a description', () => {
    const both = { fc_yaw: [61, 32], reg_yaw: [1, 32] }
    expect(() => resolve(both)).toThrow(refusal(/both fc_yaw and reg_yaw give yaw/))
    const { description, notes } = resolve(both, { heads: [{ output: 'reg_yaw', angle: 'yaw', unit: 'radians' }] })
    expect(description.heads).toEqual([{ kind: 'value', output: 'reg_yaw', angle: 'yaw', unit: 'radians', sign: 1 }])
    expect(notes).toEqual(['The output fc_yaw is left out: another one was given for yaw.'])
  })
})

describe('what is given', () => {
  test('single fields of the input and of a head replace the defaults and are marked', () => {
    const { description, provenance } = resolve(three, {
      input: { channels: 'bgr', range: 255, std: [1, 1, 1] },
      heads: [{ angle: 'pitch', sign: -1 }],
    })
    expect(description.input).toMatchObject({
      channels: 'bgr',
      range: 255,
      std: [1, 1, 1],
      mean: [0.485, 0.456, 0.406],
    })
    expect(description.heads.map((head) => head.kind === 'binned' && head.sign)).toEqual([1, -1, 1])
    expect(provenance).toMatchObject({
      'input.channels': 'given',
      'input.range': 'given',
      'input.std': 'given',
      'input.mean': 'default',
      'heads.1.sign': 'given',
      'heads.1.step': 'default',
      'heads.0.sign': 'default',
    })
  })

  test('angles can be exchanged', () => {
    const heads = [
      { output: 'fc_yaw', angle: 'pitch' },
      { output: 'fc_pitch', angle: 'yaw' },
    ]
    expect(resolve(three, { heads }).description.heads.map(({ output }) => output)).toEqual([
      'fc_pitch',
      'fc_yaw',
      'fc_roll',
    ])
  })

  test('an output that tells nothing can be given an angle', () => {
    const heads = [{ output: 'head', angle: 'yaw', kind: 'binned', step: 1, offset: 0 }]
    const { description, provenance } = resolve({ head: [10, 32] }, { heads })
    expect(description.heads).toMatchObject([{ kind: 'binned', angle: 'yaw', bins: 10 }])
    expect(provenance).toMatchObject({ 'heads.0.kind': 'given', 'heads.0.angle': 'given', 'heads.0.step': 'given' })
  })

  test.each([
    ['three', three],
    ['nameless', { a: [61, 32], b: [61, 32], c: [61, 32] }],
    ['values and a classifier', { classifier: [10, 32], yaw: [1, 32], roll: [1, 32] }],
    ['classes', { classifier: [10, 32] }],
  ])('a resolved description resolves to itself (%s)', (_, heads) => {
    const first = resolve(heads, { input: { width: 160, mean: [0, 0, 0] } }).description
    expect(resolve(heads, first).description).toEqual(first)
    expect(resolve(heads, JSON.parse(JSON.stringify(first))).description).toEqual(first)
  })

  test.each([
    ['another number of bins', { heads: [{ output: 'fc_yaw', bins: 66 }] }, /fc_yaw has 61 outputs.*bins: 66/],
    ['a value of 61 outputs', { heads: [{ output: 'fc_yaw', kind: 'value' }] }, /fc_yaw has 61 outputs.*value: 1/],
    [
      'an unknown output',
      { heads: [{ output: 'fc_jaw' }] },
      /heads\.0 names the output fc_jaw, and the file has fc_yaw, fc_pitch, fc_roll: write output: fc_yaw or fc_pitch or fc_roll \(in x\.pkl\.yaml\)$/,
    ],
    ['an output twice', { heads: [{ output: 'fc_yaw' }, { angle: 'yaw' }] }, /heads\.1 describes fc_yaw a second time/],
    ['neither output nor angle', { heads: [{ sign: -1 }] }, /heads\.0 does not say which output it means/],
    [
      'an angle twice',
      {
        heads: [
          { output: 'fc_yaw', angle: 'roll' },
          { output: 'fc_roll', angle: 'roll' },
        ],
      },
      /both fc_yaw and fc_roll give roll/,
    ],
    ['a unit of bins', { heads: [{ output: 'fc_yaw', unit: 'degrees' }] }, /kind binned, which has no unit/],
    [
      'classes among angles',
      { heads: [{ output: 'fc_yaw', kind: 'classes' }] },
      /fc_yaw gives classes, which cannot stand beside/,
    ],
    [
      'an input too small for the pools',
      { input: { height: 28 } },
      /input\.height is 28, and this network needs at least 29/,
    ],
    ['a std of zero', { input: { std: [1, 0, 1] } }, /input\.std\.1 cannot be read/],
    ['a misspelt key', { input: { widht: 3 } }, /unknown key "input\.widht"; did you mean "width"\?/],
    ['something else', 'input', /the description of x\.pkl: the description cannot be read: expected a mapping/],
  ])('%s is refused', (_, override, message) => {
    expect(() => resolve(three, override)).toThrow(refusal(message))
  })
})
