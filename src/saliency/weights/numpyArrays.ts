import { InputError } from '../../base/errors.ts'
import { ByteCursor, truncated } from './byteCursor.ts'
import { fileKind } from './fileKind.ts'
import { isNpy, readNpy } from './npyFile.ts'
import { isFloatArray, numpyArray, type NumpyArray, type StoredArray } from './numpyArray.ts'
import { arrayIn, NumpyVocabulary } from './numpyPickle.ts'
import { readPickle } from './pickle.ts'
import { PickleDict } from './pickleValues.ts'
import { isZip } from './torch.ts'
import { Zip } from './zip.ts'

/**
 * The floating-point arrays in a file of NumPy's, by name: a pickled dictionary of arrays (protocols 2 to 5), an `.npz`
 * archive, or an `.npy` file, whose one array bears the file's own name. What else is in it is passed over, and nothing of
 * a pickle runs. InputError `bad-checkpoint` when the file is damaged or holds no such array.
 */
export function readNumpyArrays(bytes: Uint8Array, file: string): ReadonlyMap<string, NumpyArray> {
  const arrays = new Map<string, NumpyArray>()
  for (const [name, stored] of storedArrays(bytes, file)) {
    if (isFloatArray(stored)) arrays.set(name, numpyArray(stored, file, name))
  }
  if (arrays.size > 0) return arrays
  throw new InputError('bad-checkpoint', `${file} holds no array of floating-point numbers under a name`)
}

function storedArrays(bytes: Uint8Array, file: string): Iterable<readonly [name: string, array: StoredArray]> {
  if (isNpy(bytes)) return [[file.replace(/\.npy$/, ''), readNpy(bytes, file)]]
  if (isZip(bytes)) return arraysInZip(bytes, file)
  // Protocols 2 to 5 begin with their number.
  if (bytes[0] === 0x80) return arraysInPickle(bytes, file)
  const kind = fileKind(bytes)
  throw new InputError(
    'bad-checkpoint',
    `${file} holds no NumPy arrays${kind === undefined ? '' : `: it looks like ${kind}`}; headlight reads .npy, .npz and pickles of a dictionary of arrays`,
  )
}

function* arraysInZip(bytes: Uint8Array, file: string): Generator<readonly [string, StoredArray]> {
  const zip = new Zip(bytes, file)
  for (const entry of zip.names) {
    const name = entry.replace(/\.npy$/, '')
    if (name !== entry) yield [name, readNpy(zip.read(entry), `${file}, in ${entry},`)]
  }
}

function* arraysInPickle(bytes: Uint8Array, file: string): Generator<readonly [string, StoredArray]> {
  const value = readPickle(new ByteCursor(bytes, file), new NumpyVocabulary(file))
  // Many arrays may share their bytes; together they must not be much more than the file.
  let budget = bytes.byteLength
  for (const [name, member] of value instanceof PickleDict ? value.entries : []) {
    const array = arrayIn(member)
    if (typeof name !== 'string' || array === undefined) continue
    budget -= array.bytes.byteLength
    if (budget < 0) throw truncated(file, `its arrays are larger than itself, ${name} among them`)
    yield [name, array]
  }
}
