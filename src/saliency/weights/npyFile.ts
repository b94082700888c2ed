import { InputError } from '../../base/errors.ts'
import { ByteCursor, truncated } from './byteCursor.ts'
import type { StoredArray } from './numpyArray.ts'

const magic = Buffer.from('\x93NUMPY', 'latin1')

export function isNpy(bytes: Uint8Array): boolean {
  return magic.equals(bytes.subarray(0, magic.length))
}

/** The array in a `.npy` file of any format version, as a view of it. InputError `bad-checkpoint`. */
export function readNpy(bytes: Uint8Array, file: string): StoredArray {
  const cursor = new ByteCursor(bytes, file, magic.length)
  const version = cursor.u8()
  cursor.u8()
  const header = cursor.text(version === 1 ? cursor.u16() : cursor.u32(), 'utf8')
  // The text of a Python dictionary with these three keys.
  const dtype = /'descr': *'([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order': *(True|False)/.exec(header)?.[1]
  const shape = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1]
  if (dtype === undefined || order === undefined || shape === undefined) {
    if (/'descr': *\[/.test(header)) {
      throw new InputError('bad-checkpoint', `${file} holds records, not plain numbers: save the arrays one by one`)
    }
    throw truncated(file, 'its header describes no array')
  }
  const sides = shape.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number(side)]))
  if (!sides.every((side) => Number.isSafeInteger(side))) throw truncated(file, 'its header has an odd shape')
  return { dtype, shape: sides, fortranOrder: order === 'True', bytes: cursor.bytes(cursor.remaining) }
}
