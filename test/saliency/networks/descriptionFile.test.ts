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
      /^x\.yaml:2:11: heads\.0\.kind cannot be read: expected one of "binned"/,
    ],
    [
      'a key like no other',
      'colour: 3\n',
      /^x\.yaml:1:1: unknown key "colour"; known are input, heads, batchNorm, about, fits$/,
    ],
    ['a wrong value', 'input:\n  channels: grey\n', /^x\.yaml:2:13: input\.channels cannot be read: /],
    ['a value inside a list', 'input:\n  std: [1, 0, 1]\n', /^x\.yaml:2:12: input\.std\.1 cannot be read: /],
    ['text for a mapping', 'input: 224\n', /^x\.yaml:1:8: input cannot be read: expected object/],
    ['a list for the whole', '- 1\n', /^x\.yaml:1:1: the description cannot be read: expected object/],
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
