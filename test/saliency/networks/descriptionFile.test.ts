import { describe, expect, test } from 'vitest'
import { parseDescription } from '../../../src/saliency/networks/descriptionFile.ts'

test('a description file is parsed into what it gives', () => {
  const text = '# BGR, as OpenCV reads\ninput:\n  channels: bgr\n  range: 255\nheads:\n  - { angle: yaw, sign: -1 }\n'
  expect(parseDescription(text, 'x.yaml')).toEqual({
    input: { channels: 'bgr', range: 255 },
    heads: [{ angle: 'yaw', sign: -1 }],
  })
})

test('an empty file gives nothing', () => {
  expect(parseDescription('', 'x.yaml')).toEqual({})
  expect(parseDescription('# only a comment\n', 'x.yaml')).toEqual({})
})

describe('what is wrong is said with its place', () => {
  test.each([
    [
      'a misspelt key',
      'input:\n  width: 224\n  chanels: bgr\n',
      /^x\.yaml:3:3: unknown key "input\.chanels"; did you mean "channels"\?$/,
    ],
    ['a misspelt key of the file', 'inputs: {}\n', /^x\.yaml:1:1: unknown key "inputs"; did you mean "input"\?$/],
    [
      'a misspelt key of a head',
      'heads:\n  - angle: yaw\n    stp: 3\n',
      /^x\.yaml:3:5: unknown key "heads\.0\.stp"; did you mean "step"\?$/,
    ],
    [
      'a misspelt key within a head',
      'heads:\n  - kind: matrix\n    signs: { yow: -1 }\n',
      /^x\.yaml:3:14: unknown key "heads\.0\.signs\.yow"; did you mean "yaw"\?$/,
    ],
    [
      'an unknown kind',
      'heads:\n  - kind: euler\n',
      /^x\.yaml:2:11: heads\.0\.kind cannot be read: expected one of binned, .*, and this is "euler"$/,
    ],
    [
      'a key like no other',
      'weather: 3\n',
      /^x\.yaml:1:1: unknown key "weather"; known are input, heads, batchNorm, about, fits$/,
    ],
    [
      "another tool's word for a key",
      'heads:\n  - type: matrix\n',
      /^x\.yaml:2:5: unknown key "heads\.0\.type"; did you mean "kind"\?$/,
    ],
    ['the size in one key', 'input: { size: 96 }\n', /unknown key "input\.size"; did you mean "width" and "height"\?$/],
    [
      "another tool's word for a key of batch norm",
      'batchNorm: { eps: 1.0e-3 }\n',
      /unknown key "batchNorm\.eps"; did you mean "epsilon"\?$/,
    ],
    [
      'a key that stands one level too high',
      'mean: 0.5\n',
      /^x\.yaml:1:1: unknown key "mean"; did you mean "mean" below "input"\?$/,
    ],
    [
      'a key that no head of this kind has',
      'heads:\n  - { kind: matrix, colour: 3 }\n',
      /unknown key "heads\.0\.colour"; known are kind, output, euler, transpose, start, signs$/,
    ],
    [
      'another spelling of a kind',
      'heads:\n  - kind: rotation-6D\n',
      /^x\.yaml:2:11: heads\.0\.kind is "rotation-6D"; did you mean "rotation6d"\?$/,
    ],
    [
      'the order of angles as that of a quaternion',
      'heads:\n  - { kind: rotation6d, order: xyz }\n',
      /heads\.0\.order is "xyz", but order says where the real part of a quaternion stands .*; the order of a rotation's angles is euler: zyx or xyz$/,
    ],
    [
      'one head without a dash',
      'heads:\n  output: fc\n  kind: matrix\n',
      /^x\.yaml:2:3: heads cannot be read: expected a list, and this is a mapping; begin each head with a dash, as in "- output: fc_yaw"$/,
    ],
    ['a sign of 2', 'heads:\n  - { angle: yaw, sign: 2 }\n', /heads\.0\.sign cannot be read: expected 1 or -1$/],
    ['a wrong value', 'input:\n  channels: grey\n', /^x\.yaml:2:13: input\.channels is "grey"; did you mean "gray"\?$/],
    ['a value inside a list', 'input:\n  std: [1, 0, 1]\n', /^x\.yaml:2:12: input\.std\.1 cannot be read: /],
    [
      'text for a mapping',
      'input: 224\n',
      /^x\.yaml:1:8: input cannot be read: expected a mapping \(key: value\), and this is 224$/,
    ],
    [
      'a list for the whole',
      '- 1\n',
      /^x\.yaml:1:1: the description cannot be read: expected a mapping \(key: value\), and this is a list$/,
    ],
    [
      'a text that is no description',
      'Trained for 30 epochs on 300W-LP, see the log beside it.\n',
      /^x\.yaml:1:1: the description cannot be read: expected a mapping \(key: value\), and this is text$/,
    ],
    ['no YAML', 'input: {\n', /^x\.yaml:\d:\d+: not valid YAML \(/],
    ['a key twice', 'input: {}\ninput: {}\n', /^x\.yaml:2:1: not valid YAML \(Map keys must be unique\)$/],
    ['an infinite number', 'input:\n  range: .inf\n', /^x\.yaml:2:10: input\.range cannot be read: /],
    ['a tag', 'input: !!js/function "x"\n', /^x\.yaml:1:22: input cannot be read/],
  ])('%s', (_, text, message) => {
    expect(() => parseDescription(text, 'x.yaml')).toThrow(
      expect.objectContaining({ name: 'InputError', code: 'bad-description', message: expect.stringMatching(message) }),
    )
  })

  test('aliases that expand without end', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg']) {
      lines.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(', ')}]`)
    }
    expect(() => parseDescription(lines.join('\n'), 'x.yaml')).toThrow(/aliases expand too often/)
  })
})
