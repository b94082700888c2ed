import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readMatlab5 } from '../../src/dataset/matlab5.ts'
import { element, matFile, numbersOf } from '../support/matFile.ts'

const arrays = {
  roi: { rows: 1, values: [1, 2, 3, 4] },
  Pose_Para: { rows: 1, values: [0.1, -0.2, 0.3, 1, 2, 3, 4e-4] },
  pt2d: { rows: 2, values: [1, 2, 3, 4, 5, 6.5] },
}

const header = (little = true) => matFile({}, { little })

function matrix(name: string, flags: number, dimensions: number[], data: Buffer): Buffer {
  return element(
    14,
    Buffer.concat([
      element(6, numbersOf([flags, 0], 4)),
      element(5, numbersOf(dimensions, 4)),
      element(1, Buffer.from(name)),
      data,
    ]),
  )
}

describe.each([
  { packed: true, little: true },
  { packed: false, little: true },
  { packed: true, little: false },
  { packed: false, little: false },
])('a file (%o)', (how) => {
  it('gives the arrays asked for, and no others', () => {
    const found = readMatlab5(matFile(arrays, how), ['pt2d', 'Pose_Para', 'absent'])
    expect([...found.keys()].toSorted()).toEqual(['Pose_Para', 'pt2d'])
    expect(found.get('Pose_Para')).toMatchObject({
      dimensions: [1, 7],
      values: Float64Array.from(arrays.Pose_Para.values),
    })
    expect(found.get('pt2d')).toMatchObject({ dimensions: [2, 3], values: Float64Array.from([1, 2, 3, 4, 5, 6.5]) })
  })

  it.each([10, 127, 130, 150, 200])('is refused when it ends after %d bytes', (length) => {
    expect(() => readMatlab5(matFile(arrays, how).subarray(0, length), ['pt2d'])).toThrow(/ends|damaged/)
  })
})

describe('an array', () => {
  it('may be stored in a smaller type than its class', () => {
    const data = element(3, numbersOf([65535, 2, 300], 2))
    const file = Buffer.concat([header(), matrix('a', 6, [1, 3], data)])
    expect([...(readMatlab5(file, ['a']).get('a')?.values ?? [])]).toEqual([-1, 2, 300])
  })

  it('may be so short that it stands in the tags', () => {
    const file = Buffer.concat([header(), matrix('abc', 6, [1, 3], element(2, Uint8Array.from([7, 8, 9])))])
    expect([...(readMatlab5(file, ['abc']).get('abc')?.values ?? [])]).toEqual([7, 8, 9])
  })

  it('of text, cells or complex numbers is passed over', () => {
    const data = element(2, Uint8Array.from([7, 8]))
    for (const flags of [1, 2, 4, 5, 0x800 + 6]) {
      const file = Buffer.concat([header(), matrix('a', flags, [1, 2], data), matrix('b', 6, [1, 2], data)])
      expect([...readMatlab5(file, ['a', 'b']).keys()]).toEqual(['b'])
    }
  })

  it('must have as many values as its dimensions say', () => {
    const file = Buffer.concat([header(), matrix('a', 6, [3, 2], element(2, Uint8Array.from([7, 8, 9])))])
    expect(() => readMatlab5(file, ['a'])).toThrow('a has 3 values for 3 × 2')
  })
})

describe('what is refused', () => {
  it('a file of another kind', () => {
    expect(() => readMatlab5(Buffer.alloc(500, 'x'), ['a'])).toThrow('no MATLAB 5 file')
  })

  it('the later format, by name', () => {
    const file = header()
    file.writeUInt16LE(0x0200, 124)
    expect(() => readMatlab5(file, ['a'])).toThrow('HDF5')
  })

  it('packed data that is damaged', () => {
    const file = matFile(arrays)
    file.fill(0xff, 140, 160)
    expect(() => readMatlab5(file, ['pt2d'])).toThrow('packed data is damaged')
  })

  it('a small file that unpacks to a huge one, before it does', () => {
    const bomb = (megabytes: number) => element(15, deflateSync(Buffer.alloc(megabytes * 2 ** 20)))
    expect(() => readMatlab5(Buffer.concat([header(), bomb(5)]), ['a'])).toThrow('unpacks to more than')
    // Nor may many small ones add up.
    expect(() => readMatlab5(Buffer.concat([header(), bomb(3), bomb(3)]), ['a'])).toThrow('unpacks to more than')
  })
})
