import { describe, expect, test } from 'vitest'
import { parseDescription } from '../../../src/saliency/networks/descriptionFile.ts'
import { badDescription, checkOverride } from '../../../src/saliency/networks/override.ts'
import { resolveInput, type ResolvedInput } from '../../../src/saliency/networks/resolveInput.ts'

function resolve(input: object, imageChannels: 1 | 3 = 3): ResolvedInput {
  return resolveInput({ imageChannels, smallestSide: 1 }, checkOverride({ input }, 'x.pkl').input ?? {}, (what) =>
    badDescription('x.pkl', what),
  )
}

const defaults = { width: 224, height: 224, resize: 'shorter-side', channels: 'rgb', range: 1 }

describe('what is absent at its default', () => {
  test.each([
    ['nothing said', {}],
    ['the defaults by name', { filter: 'pillow', normalise: 'fixed' }],
    ['a resize to the size that the input has anyway', { resizeTo: 224 }],
  ])('is absent with %s', (_, given) => {
    expect(Object.keys(resolve(given).input)).toEqual([...Object.keys(defaults), 'mean', 'std'])
  })

  test('is there when it is not the default', () => {
    const given = { filter: 'opencv', normalise: 'min-max', resizeTo: 256 }
    const { input, provenance } = resolve(given)
    expect(input).toMatchObject(given)
    expect(provenance).toMatchObject({ 'input.filter': 'given', 'input.normalise': 'given', 'input.resizeTo': 'given' })
    expect(resolve({ height: 112, resizeTo: 224 }).input).toMatchObject({ resizeTo: 224 })
  })
})

describe('numbers', () => {
  test('one stands for all channels', () => {
    const { input } = resolve({ mean: 127.5, std: 128, range: 255 })
    expect(input).toMatchObject({ range: 255, mean: [127.5, 127.5, 127.5], std: [128, 128, 128] })
  })

  test('scale and offset become range, mean and std of the same effect', () => {
    const [scale, offset] = [
      [1 / 58.4, 1 / 57.1, 0.017],
      [-2.1, 0, 0.5],
    ]
    const { input, provenance } = resolve({ scale, offset })
    for (const c of [0, 1, 2]) {
      for (const pixel of [0, 1, 200, 255]) {
        const normalised = ((pixel / 255) * input.range - (input.mean[c] ?? NaN)) / (input.std[c] ?? NaN)
        expect(normalised).toBeCloseTo(pixel * (scale[c] ?? NaN) + (offset[c] ?? NaN), 12)
      }
    }
    expect(provenance).toMatchObject({ 'input.range': 'given', 'input.mean': 'given', 'input.std': 'given' })
    // −0 would not survive JSON, so that a stored description would not be the one that was resolved.
    expect(resolve({ scale: 0.5 }).input).toMatchObject({ range: 255, mean: [0, 0, 0], std: [2, 2, 2] })
  })
})

test('a mean above a range that was given is told, and stays: result sets hold such descriptions', () => {
  const { input, notes } = resolve({ range: 1, mean: [0, 0, 127.5] })
  expect(input.mean).toEqual([0, 0, 127.5])
  expect(notes).toEqual(['input.mean has 127.5, above every pixel, since input.range is 1: is one of them wrong?'])
  expect(resolve({ mean: 1, std: 0.5 }).notes).toEqual([])
  expect(resolve({ range: 255, mean: 127.5, std: 128 }).notes).toEqual([])
  // An offset is no mean of pictures.
  expect(resolve({ scale: 1, offset: -300 }).notes).toEqual([])
})

describe('gray', () => {
  test('is what weights of one channel take, as it is', () => {
    const { input, provenance } = resolve({}, 1)
    expect(input).toMatchObject({ channels: 'gray', range: 1, mean: [0], std: [1] })
    expect(provenance).toMatchObject({ 'input.channels': 'found in the weights', 'input.mean': 'default' })
  })

  test('has one mean and one std', () => {
    expect(resolve({ mean: 0.5, std: [0.25] }, 1).input).toMatchObject({ mean: [0.5], std: [0.25] })
  })
})

test.each([
  [{}, 3],
  [{ resize: 'letterbox', filter: 'opencv', channels: 'bgr', scale: 0.25, offset: [1, 2, 3] }, 3],
  [{ normalise: 'min-max', resizeTo: 300, range: 4, mean: 3 }, 1],
] as const)('%j resolves to itself', (given, channels) => {
  const first = resolve(given, channels).input
  expect(resolve(first, channels).input).toEqual(first)
  expect(resolve(JSON.parse(JSON.stringify(first)) as object, channels).input).toEqual(first)
})

test.each([
  [
    'gray for weights of three channels',
    { channels: 'gray' },
    3,
    /input\.channels is gray, and this network takes colour images/,
  ],
  ['BGR for weights of one', { channels: 'bgr' }, 1, /input\.channels is bgr, and this network takes gray/],
  ['two means', { mean: [0, 0] }, 3, /input\.mean is a list of 2, and RGB needs three, or one number for all/],
  ['three stds for gray', { std: [1, 1, 1] }, 1, /input\.std is a list of 3, and gray needs one/],
  ['a scale and a mean', { scale: 1, mean: 0 }, 3, /input\.scale and input\.mean exclude each other/],
  ['an offset and a range', { offset: 1, range: 1 }, 3, /input\.offset and input\.range exclude each other/],
  [
    'a mean that is a word',
    { mean: 'none' },
    3,
    /input\.mean cannot be read: expected one number, or one for each channel/,
  ],
  [
    'a mean of pixels of 0 to 255 for those of 0 to 1',
    { mean: [123.675, 116.28, 103.53] },
    3,
    /input\.mean has 123\.675, above every pixel, since these go from 0 to 1 \(range\): if pixels go from 0 to 255, add range: 255/,
  ],
  ['a scale of zero', { scale: 0 }, 3, /input\.scale cannot be read/],
  [
    'a crop larger than the picture',
    { resizeTo: 200 },
    3,
    /input\.resizeTo is 200, and a width of 224 cannot be cut from it/,
  ],
  [
    'a crop of a letterbox',
    { resize: 'letterbox', resizeTo: 256 },
    3,
    /input\.resizeTo has no effect with resize: letterbox/,
  ],
] as const)('%s is refused', (_, given, channels, message) => {
  expect(() => resolve(given, channels)).toThrow(
    expect.objectContaining({ code: 'bad-description', message: expect.stringMatching(message) }),
  )
})

test('a misspelt rule is refused with what there is', () => {
  const text = 'input:\n  resize: leterbox\n'
  expect(() => parseDescription(text, 'x.pkl.yaml')).toThrow(
    /x\.pkl\.yaml:2:11: input\.resize is "leterbox"; did you mean "letterbox"\?$/,
  )
})
