import { describe, expect, test } from 'vitest'
import { parseDescription } from '../../../src/saliency/networks/descriptionFile.ts'
import type { OutputLayer } from '../../../src/saliency/networks/family.ts'
import { value } from '../../../src/saliency/networks/heads/value.ts'
import { checkOverride } from '../../../src/saliency/networks/override.ts'
import { resolveDescription, type ResolvedDescription } from '../../../src/saliency/networks/resolve.ts'
import type { Tensors } from '../../../src/saliency/weights/tensors.ts'

/** The heads of a network with these numbers of outputs by name. */
function resolve(
  outputs: Readonly<Record<string, number>>,
  heads: unknown = [],
  tensors?: Tensors,
): ResolvedDescription {
  const layers = Object.entries(outputs).map(([output, count]): OutputLayer => ({ output, outputs: count, bias: true }))
  const override = checkOverride({ heads }, 'x.pkl')
  return resolveDescription(
    { outputs: layers, smallestSide: 8, imageChannels: 3, batchNorm: { epsilon: 1e-5 } },
    override,
    'x.pkl',
    tensors,
  )
}

function refusal(message: RegExp): unknown {
  return expect.objectContaining({ code: 'bad-description', message: expect.stringMatching(message) })
}

const twelve = (first: number) => Array.from({ length: 12 }, (_, index) => first + index)

describe('outputs of published networks are known by name and shape, and said to be assumed', () => {
  test('hopenet-lite’s initials', () => {
    const { description, provenance, notes } = resolve({ fc_y: 66, fc_p: 66, fc_r: 66 })
    expect(description.heads).toMatchObject([
      { kind: 'binned', output: 'fc_y', angle: 'yaw', bins: 66, step: 3, offset: -99 },
      { kind: 'binned', output: 'fc_p', angle: 'pitch' },
      { kind: 'binned', output: 'fc_r', angle: 'roll' },
    ])
    expect(provenance['heads.0.angle']).toBe('default')
    expect(notes).toEqual(['The outputs fc_y, fc_p, fc_r are taken as yaw, pitch, roll because of their names.'])
  })

  test('its second version counts layers within them', () => {
    const { description } = resolve({ 'fc_r.0': 66, 'fc_y.0': 66, 'fc_p.0': 66 })
    expect(description.heads.map(({ output }) => output)).toEqual(['fc_y.0', 'fc_p.0', 'fc_r.0'])
  })

  test('Intel’s values count yaw and pitch the other way round', () => {
    const { description } = resolve({ angle_y_fc: 1, angle_p_fc: 1, angle_r_fc: 1 })
    expect(description.heads).toEqual([
      { kind: 'value', output: 'angle_y_fc', angle: 'yaw', unit: 'degrees', sign: -1 },
      { kind: 'value', output: 'angle_p_fc', angle: 'pitch', unit: 'degrees', sign: -1 },
      { kind: 'value', output: 'angle_r_fc', angle: 'roll', unit: 'degrees', sign: 1 },
    ])
  })

  test('L2CS-Net’s names mean what they say, whatever its code calls them', () => {
    const { description, provenance, notes } = resolve({ fc_yaw_gaze: 90, fc_pitch_gaze: 90 })
    expect(description.heads).toMatchObject([
      { output: 'fc_yaw_gaze', angle: 'yaw', bins: 90, step: 4, offset: -180 },
      { output: 'fc_pitch_gaze', angle: 'pitch' },
    ])
    expect(provenance['heads.0.angle']).toBe('default')
    expect(notes.join(' ')).toMatch(/fc_yaw_gaze, fc_pitch_gaze are taken as yaw, pitch .* L2CS-Net's code/)
  })

  test.each([
    [28, 3, -42],
    [61, 3, -90],
    [62, 3, -93],
    [66, 3, -99],
    [90, 4, -180],
    [120, 3, -180],
  ])('%d bins', (bins, step, offset) => {
    expect(resolve({ fc_yaw: bins }).description.heads).toMatchObject([{ bins, step, offset }])
  })

  test('linear_reg of 6 and of 9 is a rotation', () => {
    const { description, provenance, notes } = resolve({ linear_reg: 6 })
    expect(description.heads).toEqual([{ kind: 'rotation6d', output: 'linear_reg', euler: 'zyx' }])
    expect(provenance).toMatchObject({ 'heads.0.kind': 'default', 'heads.0.euler': 'default' })
    expect(notes).toEqual([expect.stringMatching(/6 outputs of linear_reg are taken as a rotation, as in 6DRepNet/)])
    expect(resolve({ linear_reg: 9 }).description.heads).toEqual([
      { kind: 'matrix', output: 'linear_reg', euler: 'zyx' },
    ])
    expect(resolve({ linear_reg: 10 }).description.heads).toMatchObject([{ kind: 'classes' }])
  })

  test('fc_angles is three values', () => {
    const { description, notes } = resolve({ fc_angles: 3 })
    expect(description.heads).toEqual([
      { kind: 'value', output: 'fc_angles', angle: 'yaw', unit: 'degrees', sign: 1, index: 0 },
      { kind: 'value', output: 'fc_angles', angle: 'pitch', unit: 'degrees', sign: 1, index: 1 },
      { kind: 'value', output: 'fc_angles', angle: 'roll', unit: 'degrees', sign: 1, index: 2 },
    ])
    expect(notes).toHaveLength(1)
    const turned = resolve({ fc_angles: 3 }, [{ angle: 'pitch', sign: -1 }]).description.heads
    expect(turned.map((head) => head.kind === 'value' && head.sign)).toEqual([1, -1, 1])
  })

  test('SynergyNet’s file holds mean and std', () => {
    const tensors: Tensors = new Map([
      ['I2P.param_mean', { shape: [62], data: Float32Array.from({ length: 62 }, (_, i) => i) }],
      ['I2P.param_std', { shape: [62], data: Float32Array.from({ length: 62 }, (_, i) => i + 0.5) }],
    ])
    const { description, provenance } = resolve({ 'classifier_ori.1': 12, 'classifier_shape.1': 40 }, [], tensors)
    expect(description.heads).toEqual([
      { kind: 'pose3dmm', output: 'classifier_ori.1', mean: twelve(0), std: twelve(0.5) },
    ])
    expect(provenance['heads.0.mean']).toBe('found in the weights')
  })

  test.each([
    [1, 'an angle', '{output: fc, angle: yaw}'],
    [
      3,
      'the three angles',
      '{output: fc, angle: yaw, index: 0}, {output: fc, angle: pitch, index: 1}, {output: fc, angle: roll, index: 2}',
    ],
    [4, 'a quaternion', '{output: fc, kind: quaternion, order: wxyz, euler: zyx}'],
    [6, 'a rotation', '{output: fc, kind: rotation6d, euler: zyx}'],
    [9, 'a rotation matrix', '{output: fc, kind: matrix, euler: zyx}'],
  ])('an output of %d numbers without a telling name gives classes, with a hint that works', (outputs, what, heads) => {
    const { description, notes } = resolve({ fc: outputs })
    expect(description.heads).toEqual([{ kind: 'classes', output: 'fc', classes: outputs }])
    const hint = `heads: [${heads}]`
    expect(notes).toEqual([
      `The name of fc does not say what it gives, so it is taken as the scores of classes; if fc gives ${what}, say so: ${hint}.`,
    ])
    const given = parseDescription(hint, 'x.pkl.yaml').heads
    expect(resolve({ fc: outputs }, given).description.heads[0]?.kind).not.toBe('classes')
    expect(resolve({ fc: outputs }, [{ kind: 'classes' }]).notes).toEqual([])
  })

  test('3DDFA’s does not, which is said with the way out', () => {
    expect(() => resolve({ fc_param: 62, fc_lm: 136 })).toThrow(
      refusal(
        /fc_param gives 62 parameters.*param_mean_std_62d_120x120\.pkl.*stats: and the name of that file.*\(in x\.pkl\.yaml\)/,
      ),
    )
    expect(() => resolve({ fc_param: 62 }, [{ output: 'fc_param', stats: 'stats.pkl' }])).toThrow(
      refusal(/the file stats\.pkl with the mean and std of fc_param was not read/),
    )
    const long = Array.from({ length: 62 }, (_, index) => index)
    const { description, notes } = resolve({ fc_param: 62, fc_lm: 136 }, [
      { output: 'fc_param', mean: long, std: long },
    ])
    expect(description.heads).toEqual([{ kind: 'pose3dmm', output: 'fc_param', mean: twelve(0), std: twelve(0) }])
    expect(notes).toContainEqual('The output fc_lm is left out: nothing says that it gives an angle.')
  })
})

describe('kinds that are given', () => {
  test.each([
    ['rotation6d', 6, { kind: 'rotation6d', euler: 'zyx' }],
    ['rotation6d, as another convention has it', 6, { kind: 'rotation6d', euler: 'xyz', transpose: true }],
    ['matrix', 9, { kind: 'matrix', euler: 'xyz', signs: { yaw: -1 } }],
    ['quaternion', 4, { kind: 'quaternion', order: 'xyzw', euler: 'xyz' }],
    ['pose3dmm', 12, { kind: 'pose3dmm', mean: twelve(1), std: twelve(2) }],
    ['part of an output', 10, { kind: 'rotation6d', euler: 'zyx', start: 4 }],
  ])('%s', (_, outputs, head) => {
    const { description, provenance } = resolve({ out: outputs }, [head])
    expect(description.heads).toEqual([{ ...head, output: 'out' }])
    for (const key of Object.keys(head)) expect(provenance[`heads.0.${key}`]).toBe('given')
  })

  test('three heads on one output, of bins and of values', () => {
    const bins = (angle: string, start: number) => ({ output: 'out', kind: 'binned', angle, start, bins: 66 })
    const { description } = resolve({ out: 198 }, [bins('pitch', 0), bins('roll', 66), bins('yaw', 132)])
    expect(description.heads).toMatchObject([
      { angle: 'yaw', start: 132, bins: 66, step: 3 },
      { angle: 'pitch', start: 0 },
      { angle: 'roll', start: 66 },
    ])
    const values = resolve({ out: 3 }, [
      { angle: 'yaw', index: 0, scale: 180, offset: -90 },
      { angle: 'roll', index: 1 },
    ])
    expect(values.description.heads).toEqual([
      { kind: 'value', output: 'out', angle: 'yaw', unit: 'degrees', sign: 1, scale: 180, offset: -90, index: 0 },
      { kind: 'value', output: 'out', angle: 'roll', unit: 'degrees', sign: 1, index: 1 },
    ])
  })

  test('defaults that are given are absent, so that ids stay', () => {
    const { description } = resolve({ a: 1, b: 6 }, [
      { output: 'b', kind: 'rotation6d', transpose: false, signs: { yaw: 1, roll: -1 }, start: 0 },
    ])
    expect(description.heads).toEqual([{ kind: 'rotation6d', output: 'b', euler: 'zyx', signs: { roll: -1 } }])
    expect(resolve({ yaw: 1 }, [{ scale: 1, offset: 0, index: 0 }]).description.heads).toEqual([
      { kind: 'value', output: 'yaw', angle: 'yaw', unit: 'degrees', sign: 1 },
    ])
  })

  test('a rotation that is given outweighs outputs whose names tell angles', () => {
    const { description, notes } = resolve({ pose: 6, fc_yaw: 66, fc_roll: 66 }, [
      { output: 'pose', kind: 'rotation6d' },
    ])
    expect(description.heads).toMatchObject([{ kind: 'rotation6d', output: 'pose' }])
    expect(notes).toHaveLength(2)
    const other = resolve({ linear_reg: 6, fc_yaw: 66, fc_pitch: 66 }, [{ output: 'fc_yaw', angle: 'yaw' }])
    expect(other.description.heads.map(({ output }) => output)).toEqual(['fc_yaw', 'fc_pitch'])
  })

  test.each([
    ['hopenet-lite', { fc_y: 66, fc_p: 66, fc_r: 66 }, []],
    ['Intel', { angle_y_fc: 1, angle_p_fc: 1, angle_r_fc: 1 }, []],
    ['6DRepNet', { linear_reg: 6 }, []],
    ['values', { fc_angles: 3 }, [{ angle: 'pitch', sign: -1 }]],
    [
      'values in another order',
      { fc_angles: 3 },
      [
        { index: 0, angle: 'pitch' },
        { index: 1, angle: 'yaw' },
      ],
    ],
    ['3DDFA', { fc_param: 62, fc_lm: 136 }, [{ output: 'fc_param', mean: twelve(0), std: twelve(0) }]],
    ['a rotation beside bins', { linear_reg: 6, fc_yaw: 66 }, [{ output: 'fc_yaw', angle: 'yaw' }]],
    ['a quaternion', { a: 5, b: 7 }, [{ output: 'b', kind: 'quaternion', order: 'wxyz', euler: 'xyz', start: 2 }]],
    [
      'two of three values',
      { a: 3 },
      [
        { angle: 'yaw', index: 2 },
        { angle: 'roll', index: 0 },
      ],
    ],
    ['classes', { linear_reg: 6 }, [{ kind: 'classes' }]],
  ])('a resolved description resolves to itself (%s)', (_, outputs, heads) => {
    const first = resolve(outputs, heads).description
    expect(resolve(outputs, first.heads).description).toEqual(first)
  })

  test.each([
    [
      'a matrix without euler',
      { out: 9 },
      [{ kind: 'matrix' }],
      /out gives a rotation.*add euler: zyx .* or euler: xyz/,
    ],
    ['a quaternion without order', { out: 4 }, [{ kind: 'quaternion', euler: 'xyz' }], /add order: wxyz or xyzw/],
    ['a rotation of 9', { out: 9 }, [{ kind: 'rotation6d' }], /out has 9 outputs.*reads 6: add start/],
    ['a rotation of 5', { out: 5 }, [{ kind: 'rotation6d' }], /out has 5 outputs.*reads 6: name another/],
    [
      'a start too late',
      { out: 9 },
      [{ kind: 'rotation6d', start: 4 }],
      /\(0 to 8\), and rotation6d would read 4 to 9/,
    ],
    ['fewer bins than outputs', { fc_yaw: 99 }, [{ bins: 66 }], /fc_yaw has 99 outputs.*reads 66: add start/],
    [
      'an index too large',
      { fc_angles: 3 },
      [{ output: 'fc_angles', index: 3, angle: 'yaw' }],
      /heads\.0 has index: 3, and fc_angles has 3 numbers \(0 to 2\)/,
    ],
    [
      'the same bins twice',
      { out: 20 },
      [1, 2].map(() => ({ kind: 'binned', angle: 'yaw', start: 0, bins: 10 })),
      /heads\.1 describes out a second time/,
    ],
    [
      'an angle of a rotation',
      { out: 6 },
      [{ kind: 'rotation6d', angle: 'yaw' }],
      /kind rotation6d, which has no angle/,
    ],
    [
      'two rotations',
      { a: 6, b: 6 },
      ['a', 'b'].map((output) => ({ output, kind: 'rotation6d' })),
      /both a and b give yaw: .* with its kind/,
    ],
    [
      'too few numbers',
      { out: 12 },
      [{ kind: 'pose3dmm', mean: [1], std: twelve(0) }],
      /heads\.0\.mean cannot be read/,
    ],
    ['a path', { out: 12 }, [{ kind: 'pose3dmm', stats: '../a.pkl' }], /heads\.0\.stats cannot be read: a file beside/],
    ['an angle that the only output does not give', { fc_yaw: 66 }, [{ angle: 'pitch' }], /does not say which output/],
  ])('%s is refused', (_, outputs, heads, message) => {
    expect(() => resolve(outputs, heads)).toThrow(refusal(message))
  })
})

test('of several classifiers the one that is given is taken, and the others are said to be left out', () => {
  expect(() => resolve({ fc: 10, age: 5 })).toThrow(refusal(/list them as heads, .* or one with kind: classes/))
  const { description, notes } = resolve({ fc: 10, age: 5 }, [{ output: 'fc', kind: 'classes' }])
  expect(description.heads).toEqual([{ kind: 'classes', output: 'fc', classes: 10 }])
  expect(notes).toEqual(['The output age is left out.'])
  expect(resolve({ fc: 10, age: 5 }, description.heads).description).toEqual(description)
})

test('a run begins with the unit that is assumed of a value', () => {
  const said = (outputs: Readonly<Record<string, number>>, heads: unknown = []) => {
    const { description, provenance } = resolve(outputs, heads)
    return description.heads.map((head, index) =>
      head.kind === 'value' ? value.assumption(head, (key) => provenance[`heads.${index}.${key}`]) : '',
    )
  }
  expect(said({ yaw: 1, angle_p_fc: 1 })).toEqual(['yaw in degrees', 'pitch in degrees with its sign reversed'])
  expect(said({ yaw: 1 }, [{ unit: 'degrees' }])).toEqual([undefined])
  // Its note tells.
  expect(said({ fc_angles: 3 })).toEqual([undefined, undefined, undefined])
})
