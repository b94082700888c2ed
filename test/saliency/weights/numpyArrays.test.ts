import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../src/base/errors.ts'
import { readNumpyArrays } from '../../../src/saliency/weights/numpyArrays.ts'
import { Call, Global, pickle, Raw, Tuple } from '../../support/writeCheckpoint.ts'

/** Written by NumPy: see `numpy/make.py`. */
const bytesOf = (file: string): Buffer => readFileSync(new URL(`numpy/${file}`, import.meta.url))

const mean = { shape: [2, 3], data: Float64Array.from([0.5, -1.25, 3, Math.fround(1e-3), 7, -0]) }
const std = { shape: [3], data: Float64Array.of(0, 2 / 3, 4 / 3) }
const pickles = [2, 3, 4, 5].map((protocol) => `protocol${protocol}.pkl`)
const all = [
  ...pickles,
  'protocol2_old.pkl',
  'protocol3_old.pkl',
  'fortran.pkl',
  'fortran5.pkl',
  'arrays.npz',
  'compressed.npz',
]

test.each(all)('%s', (file) => {
  expect([...readNumpyArrays(bytesOf(file), file)]).toEqual([
    ['mean', mean],
    ['std', std],
  ])
})

test('an .npy file’s one array bears the file’s name', () => {
  expect([...readNumpyArrays(bytesOf('mean.npy'), 'mean.npy')]).toEqual([['mean', mean]])
  const [name, half] = [...readNumpyArrays(bytesOf('half.npy'), 'half.npy')][0] ?? []
  expect(name).toBe('half')
  expect([...(half?.data ?? [])]).toEqual([0.5, -1.25, 3, 1049 / 2 ** 20, 7, -0])
})

const statistics = new URL('../../../../shared/real/networks/param_mean_std_62d_120x120.pkl', import.meta.url)

test.runIf(existsSync(statistics))('the 62 numbers of 3DDFA_V2', () => {
  const arrays = readNumpyArrays(readFileSync(statistics), 'param_mean_std_62d_120x120.pkl')
  expect([...arrays].map(([name, { shape }]) => [name, shape])).toEqual([
    ['mean', [62]],
    ['std', [62]],
  ])
  expect(arrays.get('mean')?.data[3]).toBe(60.1679573059082)
})

function refusal(file: string, message: RegExp): unknown {
  return expect.objectContaining({
    name: 'InputError',
    code: 'bad-checkpoint',
    message: expect.stringMatching(new RegExp(`^${file}.*${message.source}`)),
  })
}

describe('what holds no arrays is refused', () => {
  test.each([
    ['numbers that are no arrays', pickle({ mean: 1 }), /holds no array of floating-point numbers/],
    ['code', pickle({ mean: new Call('os.system', 'true') }), /holds no array of floating-point numbers/],
    ['an array of objects', pickle(new Raw(objectArray())), /holds no array of floating-point numbers/],
    ['text', Buffer.from('mean: 1'), /holds no NumPy arrays: it looks like text/],
    ['nothing', Buffer.alloc(0), /holds no NumPy arrays/],
    ['a cut file', bytesOf('protocol4.pkl').subarray(0, 150), /truncated or damaged/],
    ['a cut array', bytesOf('mean.npy').subarray(0, -3), /should be 6 numbers of 4 bytes and has 21 bytes/],
    ['a header of nothing', Buffer.from('\x93NUMPY\x01\x00\x02\x00{}', 'latin1'), /its header describes no array/],
    ['records', npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }"), /holds records/],
    ['a side of 2^70', npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (${2n ** 70n},), }`), /odd shape/],
  ])('%s', (_, bytes, message) => {
    expect(() => readNumpyArrays(bytes, 'x.pkl')).toThrow(refusal('x\\.pkl', message))
  })

  test('many arrays over the same bytes', () => {
    const dtype = new Raw('cnumpy\ndtype\n', inner(new Tuple('f4')), 'R(K\x03U\x01<tb')
    const bytes = new Raw('B\x00\x10\x00\x00', Buffer.alloc(4096), 'q\x01')
    const make = 'cnumpy._core.numeric\n_frombuffer\n'
    const array = (data: unknown): Raw => new Raw(make, inner(new Tuple(data, dtype, new Tuple(1024), 'C')), 'R')
    const many = Object.fromEntries(Array.from({ length: 50 }, (__, i) => [`a${i}`, array(new Raw('h\x01'))]))
    expect(() => readNumpyArrays(pickle({ first: array(bytes), ...many }), 'x.pkl')).toThrow(
      refusal('x\\.pkl', /its arrays are larger than itself/),
    )
  })

  test('damage anywhere is refused, or the file is read', () => {
    const files = all.map(bytesOf)
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.nat(), fc.nat(255), fc.boolean(), (whole, at, value, cut) => {
        const place = at % whole.length
        const damaged = Buffer.from(cut ? whole.subarray(0, place) : whole)
        if (!cut) damaged[place] = value
        try {
          readNumpyArrays(damaged, 'x.pkl')
        } catch (error) {
          expect(error).toBeInstanceOf(InputError)
        }
      }),
      { numRuns: 1500 },
    )
  })
})

/** The opcodes of a value without PROTO and STOP. */
function inner(value: unknown): Buffer {
  return pickle(value).subarray(2, -1)
}

function objectArray(): Buffer {
  const empty = new Call('numpy._core.multiarray._reconstruct', new Global('numpy.ndarray'), new Tuple(0), 'b')
  const state = new Tuple(1, new Tuple(1), new Raw('cnumpy\ndtype\n', inner(new Tuple('O8')), 'R'), false, [1])
  return Buffer.concat([Buffer.from('}X\x04\x00\x00\x00mean'), inner(empty), inner(state), Buffer.from('bs')])
}

function npy(header: string): Buffer {
  const start = Buffer.from('\x93NUMPY\x01\x00', 'latin1')
  return Buffer.concat([start, Buffer.from([header.length, 0]), Buffer.from(header), Buffer.alloc(4)])
}
