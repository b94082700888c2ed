import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../src/base/errors.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { readWeights } from '../../../src/saliency/weights/read.ts'
import { safetensors, tensor, torchLegacy, torchZip } from '../../support/writeCheckpoint.ts'

const codes = ['bad-checkpoint', 'unsafe-checkpoint', 'unsupported-network', 'bad-description']

/** Whatever is done to a file: a network, or an InputError that names the file. Nothing else is ever thrown. */
function outcome(load: () => unknown): 'loaded' | InputError {
  try {
    load()
    return 'loaded'
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    expect(codes).toContain(error.code)
    expect(error.message).toContain('some.pkl')
    return error
  }
}

function readAll(bytes: Uint8Array): void {
  for (const { data } of readWeights(bytes, 'some.pkl').tensors.values()) void data.length
}

/** Small files whose every byte is structure: the damage lands where it matters. */
const small: readonly (readonly [string, Buffer])[] = [
  ['zip', torchZip({ state_dict: { 'w.weight': tensor('0', [2, 2]), 'w.bias': tensor('1', [2]) }, epoch: 3 })],
  ['deflated zip', torchZip({ 'w.weight': tensor('0', [2, 2]) }, { deflate: true })],
  ['legacy', torchLegacy({ net: { 'w.weight': tensor('0', [2, 2]), 'w.bias': tensor('1', [2]) } })],
  ['safetensors', safetensors({ 'w.weight': { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, Buffer.alloc(8))],
]

describe.each(small)('a small file (%s)', (_, bytes) => {
  test('cut off at every byte, is refused', () => {
    for (let length = 0; length < bytes.length; length++) {
      const result = outcome(() => readAll(bytes.subarray(0, length)))
      expect(result, `cut after ${length} bytes`).toBeInstanceOf(InputError)
    }
    expect(outcome(() => readAll(bytes))).toBe('loaded')
  })

  test('with any bytes replaced, loads or is refused', () => {
    const place = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 4 }), (places) => {
        const damaged = Buffer.from(bytes)
        for (const [at, value] of places) damaged[at] = value
        outcome(() => readAll(damaged))
      }),
      { numRuns: 1500 },
    )
  })

  test('with bytes put in or taken out, loads or is refused', () => {
    const change = fc.tuple(fc.nat(bytes.length), fc.nat(16), fc.uint8Array({ maxLength: 16 }))
    fc.assert(
      fc.property(change, ([at, removed, added]) => {
        const damaged = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])
        outcome(() => readAll(damaged))
      }),
      { numRuns: 500 },
    )
  })
})

describe.each(['tiny_hp.pkl', 'tiny_hp_oldnames_wrapped_legacy.pkl', 'tiny_hp.safetensors'])('%s', (file) => {
  const bytes = readFileSync(new URL(`../../checkpoints/${file}`, import.meta.url))

  test('cut off anywhere, is refused', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        expect(outcome(() => loadNetwork(bytes.subarray(0, length), 'some.pkl'))).toBeInstanceOf(InputError)
      }),
      { numRuns: 40 },
    )
  })

  test('with a byte flipped anywhere, loads or is refused', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ flip
        outcome(() => loadNetwork(damaged, 'some.pkl'))
      }),
      { numRuns: 40 },
    )
  })
})

test('a flipped bit in a stored weight of a zip file is noticed', () => {
  const bytes = readFileSync(new URL('../../checkpoints/tiny_hp.pkl', import.meta.url))
  const { tensors } = readWeights(Buffer.from(bytes), 'some.pkl')
  const weights = tensors.get('features.conv0.weight')?.data
  const at = bytes.indexOf(Buffer.from(weights?.buffer ?? new ArrayBuffer(0), weights?.byteOffset, weights?.byteLength))
  expect(at).toBeGreaterThan(0)
  bytes[at + 5] = (bytes[at + 5] ?? 0) ^ 1
  expect(() => readAll(bytes)).toThrow(/checksum of its entry tiny_hp\/data\/0 is wrong/)
})

test('random bytes behind a telling start never break the reader', () => {
  const starts = fc.constantFrom('PK\x03\x04', '\x80\x02', '\x80\x04\x95', '\x08\x00\x00\x00\x00\x00\x00\x00{', '')
  fc.assert(
    fc.property(starts, fc.uint8Array({ maxLength: 300 }), (start, rest) => {
      const result = outcome(() => readAll(Buffer.concat([Buffer.from(start, 'latin1'), rest])))
      expect(result).toBeInstanceOf(InputError)
    }),
    { numRuns: 2000 },
  )
})
