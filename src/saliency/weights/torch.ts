import { InputError } from '../../base/errors.ts'
import { ByteCursor, truncated } from './byteCursor.ts'
import { readPickle } from './pickle.ts'
import { PickleDict, PickleList, type PickleValue } from './pickleValues.ts'
import { bytesPerElement } from './storedTensor.ts'
import { TorchVocabulary } from './torchPickle.ts'
import { Zip } from './zip.ts'

/** The first pickle of a legacy file is this number, the second the protocol version. */
const legacyMagic = 0x1950a86a20f9469cfc6cn
const legacyProtocol = 1001
/** The same in bytes: PROTO 2, LONG1 of 10 bytes, STOP. */
const legacyStart = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex')

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4
}

export function isLegacyTorch(bytes: Uint8Array): boolean {
  return legacyStart.equals(bytes.subarray(0, legacyStart.length))
}

/** What `torch.save` was given, and the names in it that were left unread. */
export interface TorchFile {
  readonly value: PickleValue
  readonly unread: ReadonlySet<string>
}

/**
 * The value that `torch.save` wrote into a zip file (PyTorch ≥ 1.6): a pickle `<root>/data.pkl`, storages beside it as
 * `<root>/data/<key>`. InputError `bad-checkpoint`.
 */
export function readTorchZip(bytes: Uint8Array, file: string): TorchFile {
  const zip = new Zip(bytes, file)
  const root = findRoot(zip, file)
  if (zip.has(`${root}byteorder`)) refuseBigEndian(Buffer.from(zip.read(`${root}byteorder`)).toString() === 'big', file)
  const storages = new Map<string, Uint8Array>()
  const vocabulary = new TorchVocabulary(file, (reference) => {
    let storage = storages.get(reference.key)
    if (!storage) {
      storage = zip.read(`${root}data/${reference.key}`)
      storages.set(reference.key, storage)
    }
    return storage
  })
  const value = readPickle(new ByteCursor(zip.read(`${root}data.pkl`), file), vocabulary)
  return { value, unread: vocabulary.unread }
}

/** `archive/` or the file's stem, as PyTorch names it; empty when someone packed the folder's contents. */
function findRoot(zip: Zip, file: string): string {
  let root: string | undefined
  const names = [...zip.names]
  for (const name of names) {
    if (name.endsWith('constants.pkl') || /(^|\/)code\//.test(name)) {
      throw new InputError(
        'bad-checkpoint',
        `${file} is a TorchScript program, not weights: save the weights with torch.save(torch.jit.load(FILE).state_dict(), …), or export the network with torch.onnx.export(torch.jit.load(FILE), …, dynamo=False)`,
      )
    }
    if (/^([^/]*\/)?data\.pkl$/.test(name)) root ??= name.slice(0, -'data.pkl'.length)
  }
  if (root !== undefined) return root
  const [kind, advice] = otherZips.find(([, , telling]) => names.some((name) => telling.test(name))) ?? [
    'a zip file without data.pkl',
    'give a file that torch.save wrote',
  ]
  throw new InputError('bad-checkpoint', `${file} is ${kind}, not a PyTorch checkpoint: ${advice}`)
}

/** By the name of a file in them. */
const otherZips: readonly (readonly [kind: string, advice: string, telling: RegExp])[] = [
  ['a model of Keras', 'export it with model.export("model.onnx", format="onnx")', /^model\.weights\.h5$/],
  [
    'a program of torch.export',
    'export it with torch.onnx.export(torch.export.load(FILE), (), "model.onnx")',
    /^(?:[^/]+\/)?(?:models\/model|serialized_exported_program)\.json$/,
  ],
  ['a zip file with an ONNX file in it', 'unpack it and give that file', /\.onnx$/],
  ['a NumPy archive', 'give a file that torch.save wrote', /\.npy$/],
]

/**
 * The value that `torch.save` wrote before zip files (`_use_new_zipfile_serialization=False`): five pickles (magic,
 * protocol, machine facts, the value, the list of storage keys), then each storage as an 8-byte count and its elements.
 * Errors as `readTorchZip`.
 */
export function readTorchLegacy(bytes: Uint8Array, file: string): TorchFile {
  const cursor = new ByteCursor(bytes, file)
  const storages = new Map<string, Uint8Array>()
  const vocabulary = new TorchVocabulary(file, ({ key, type, view }) => {
    const storage = storages.get(key)
    if (!storage) throw truncated(file, `its storage ${key} is missing`)
    if (!view) return storage
    const width = bytesPerElement(type)
    return storage.subarray(view.offset * width, (view.offset + view.count) * width)
  })
  if (readPickle(cursor, vocabulary) !== legacyMagic) throw truncated(file, 'its first bytes are wrong')
  const protocol = readPickle(cursor, vocabulary)
  if (protocol !== legacyProtocol) throw truncated(file, `its protocol is not ${legacyProtocol}`)
  const machine = readPickle(cursor, vocabulary)
  refuseBigEndian(machine instanceof PickleDict && machine.entries.get('little_endian') === false, file)
  const value = readPickle(cursor, vocabulary)
  const keys = readPickle(cursor, vocabulary)
  for (const key of keys instanceof PickleList ? keys.items : []) {
    const reference = typeof key === 'string' ? vocabulary.storages.get(key) : undefined
    if (!reference) throw truncated(file, 'it stores numbers that nothing speaks of')
    storages.set(reference.key, cursor.bytes(cursor.u64() * bytesPerElement(reference.type)))
  }
  return { value, unread: vocabulary.unread }
}

function refuseBigEndian(bigEndian: boolean, file: string): void {
  if (!bigEndian) return
  throw new InputError(
    'bad-checkpoint',
    `${file} was written on a big-endian machine: load it in PyTorch on a common one and save it again`,
  )
}
