import { InputError } from '../../base/errors.ts'
import { ByteCursor, truncated } from './byteCursor.ts'
import { fileKind } from './fileKind.ts'
import { allFinite } from './finite.ts'
import { namesWithoutWrappers } from './names.ts'
import { readPickle } from './pickle.ts'
import { noteOfUnread, refusalOfUnread, shown } from './pickleRefusals.ts'
import { isSafetensors, readSafetensors } from './safetensors.ts'
import { findStateDict, type StoredTensors } from './stateDict.ts'
import { isFloat, StoredTensor, UnsupportedTensor, widen } from './storedTensor.ts'
import type { Tensors, WeightTensor } from './tensors.ts'
import { isLegacyTorch, isZip, readTorchLegacy, readTorchZip, type TorchFile } from './torch.ts'
import { TorchVocabulary } from './torchPickle.ts'

export interface Weights {
  /** How the file is made, e.g. `PyTorch zip`. */
  readonly format: string
  /** The number types that the weights were stored in, each once. */
  readonly storedTypes: readonly string[]
  readonly tensors: Tensors
  /**
   * What lies beside the tensors under a name of its own and is no floating-point tensor, as the end of “FILE stores NAME
   * as …”: `int8 numbers`. A layer that needs one of these cannot be built; the others do not matter.
   */
  readonly unreadable: ReadonlyMap<string, string>
  /** Where in the file other layers lie that may belong to the network, for sentences: `"head"`. They are not among `tensors`. */
  readonly parts: readonly string[]
  /** Sentences about choices made while reading. */
  readonly notes: readonly string[]
}

/**
 * The weights in a checkpoint, whatever its format, which is recognised by content and not by name. Tensors may be
 * views of `bytes`: do not write into either. InputErrors: `bad-checkpoint` (truncated, or no checkpoint),
 * `unsafe-checkpoint` (a pickle without weights that asks for code), `unsupported-network` (a tensor of the weights that
 * is quantised, sparse, without numbers …).
 */
export function readWeights(bytes: Uint8Array, file: string): Weights {
  const { format, tensors: stored, parts, notes } = readStored(bytes, file)
  const names = namesWithoutWrappers(stored.keys(), file)
  const tensors = new Map<string, WeightTensor>()
  const unreadable = new Map<string, string>()
  const storedTypes = new Set<string>()
  // A tensor may be a window that repeats its storage; together they must not be much more than the file.
  let budget = 2 * bytes.byteLength
  for (const [storedName, tensor] of stored) {
    const name = names.get(storedName) ?? storedName
    // Counts training steps (int64); inference never reads it.
    if (name.endsWith('.num_batches_tracked')) continue
    if (tensor instanceof UnsupportedTensor) {
      throw new InputError(
        'unsupported-network',
        `${file} stores ${name} as ${tensor.what}: headlight needs plain floating-point weights, so save the network dense and unquantised`,
      )
    }
    if (!(tensor instanceof StoredTensor)) unreadable.set(name, `an object of ${shown(tensor.name)}`)
    else if (!isFloat(tensor.type)) unreadable.set(name, `${tensor.type} numbers`)
    else {
      budget -= tensor.size
      if (budget < 0) throw truncated(file, `its tensors are larger than itself, ${name} among them`)
      storedTypes.add(tensor.type)
      tensors.set(name, new FileWeight(tensor, file, name))
    }
  }
  return { format, storedTypes: [...storedTypes], tensors, unreadable, parts, notes }
}

class FileWeight implements WeightTensor {
  readonly shape: readonly number[]
  readonly #read: () => Float32Array
  #data: Float32Array | undefined

  constructor(tensor: StoredTensor, file: string, name: string) {
    this.shape = tensor.shape
    this.#read = () => {
      const data = widen(tensor, file, name)
      if (allFinite(data)) return data
      throw new InputError('bad-checkpoint', `${file} holds NaN or infinity in ${name}: take an earlier checkpoint`)
    }
  }

  get data(): Float32Array {
    return (this.#data ??= this.#read())
  }
}

interface Stored {
  readonly format: string
  readonly tensors: StoredTensors
  readonly parts: readonly string[]
  readonly notes: readonly string[]
}

function readStored(bytes: Uint8Array, file: string): Stored {
  if (bytes.byteLength === 0) throw new InputError('bad-checkpoint', `${file} is empty: copy or download it again`)
  if (isZip(bytes)) return { format: 'PyTorch zip', ...weightsIn(readTorchZip(bytes, file), file) }
  if (isLegacyTorch(bytes)) return { format: 'PyTorch legacy', ...weightsIn(readTorchLegacy(bytes, file), file) }
  if (isSafetensors(bytes))
    return { format: 'safetensors', tensors: readSafetensors(bytes, file), parts: [], notes: [] }
  if (looksLikePickle(bytes)) {
    // Whatever it holds, its numbers are not where torch.save puts them. Reading it tells what it asks for.
    const vocabulary = new TorchVocabulary(file, () => bytes)
    readPickle(new ByteCursor(bytes, file), vocabulary)
    throw (
      refusalOfUnread(vocabulary.unread, file) ??
      new InputError(
        'bad-checkpoint',
        `${file} is a Python pickle that torch.save did not write: save the weights with torch.save(model.state_dict(), FILE)`,
      )
    )
  }
  if (file.endsWith('.onnx.data')) {
    throw new InputError(
      'bad-checkpoint',
      `${file} holds only the weights of an ONNX network: give ${file.slice(0, -'.data'.length)}, which lies beside it`,
    )
  }
  const kind = fileKind(bytes)
  throw new InputError(
    'bad-checkpoint',
    `${file} is no network${kind === undefined ? '' : `: it looks like ${kind}`}; headlight reads PyTorch, safetensors and ONNX files`,
  )
}

function weightsIn({ value, unread }: TorchFile, file: string): Omit<Stored, 'format'> {
  const found = findStateDict(value)
  if (!found) {
    throw (
      refusalOfUnread(unread, file) ??
      new InputError(
        'bad-checkpoint',
        `${file} holds no dictionary of weights: save them with torch.save(model.state_dict(), FILE)`,
      )
    )
  }
  const notes = [found.note, noteOfUnread(unread)].filter((note) => note !== null)
  return { tensors: found.tensors, parts: found.parts, notes }
}

/**
 * Protocols 2 to 5 have a first byte of their own. Protocols 0 and 1 have none: their files begin by naming a global,
 * or with a container that is put into the memo at once (`(dp0`, `}q\0`), and end with a full stop.
 */
function looksLikePickle(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 200)).toString('latin1')
  if (head.startsWith('\x80')) return head.charCodeAt(1) <= 5
  if (bytes.at(-1) !== 0x2e) return false
  return /^\(*[ci][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n/.test(head) || /^(?:\([dl]p\d+\n|[})\]](?:q|\(|\.))/.test(head)
}
