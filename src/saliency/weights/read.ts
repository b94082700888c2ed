import { InputError } from '../../base/errors.ts'
import { ByteCursor, truncated } from './byteCursor.ts'
import { fileKind } from './fileKind.ts'
import { namesWithoutWrappers } from './names.ts'
import { readPickle } from './pickle.ts'
import { isSafetensors, readSafetensors } from './safetensors.ts'
import { findStateDict, type StoredTensors } from './stateDict.ts'
import { isFloat, widen } from './storedTensor.ts'
import type { Tensors, WeightTensor } from './tensors.ts'
import { isLegacyTorch, isZip, readTorchLegacy, readTorchZip } from './torch.ts'
import { TorchVocabulary } from './torchPickle.ts'

export interface Weights {
  /** How the file is made, e.g. `PyTorch zip`. */
  readonly format: string
  /** The number types that the weights were stored in, each once. */
  readonly storedTypes: readonly string[]
  readonly tensors: Tensors
  /** Sentences about choices made while reading. */
  readonly notes: readonly string[]
}

/**
 * The weights in a checkpoint, whatever its format, which is recognised by content and not by name. Tensors may be
 * views of `bytes`: do not write into either. InputErrors: `bad-checkpoint` (truncated, or no checkpoint),
 * `unsafe-checkpoint` (a pickle that asks for more than tensors need), `unsupported-network` (not floating point).
 */
export function readWeights(bytes: Uint8Array, file: string): Weights {
  const { format, tensors: stored, note } = readStored(bytes, file)
  const names = namesWithoutWrappers(stored.keys(), file)
  const tensors = new Map<string, WeightTensor>()
  const storedTypes = new Set<string>()
  // A tensor may be a window that repeats its storage; together they must not be much more than the file.
  let budget = 2 * bytes.byteLength
  for (const [storedName, tensor] of stored) {
    const name = names.get(storedName) ?? storedName
    // Counts training steps (int64); inference never reads it.
    if (name.endsWith('.num_batches_tracked')) continue
    if (!isFloat(tensor.type)) {
      throw new InputError(
        'unsupported-network',
        `${file} stores ${name} as ${tensor.type}: headlight needs floating-point weights, so save the network unquantised`,
      )
    }
    budget -= tensor.size
    if (budget < 0) throw truncated(file, `its tensors are larger than itself, ${name} among them`)
    const data = widen(tensor, file, name)
    if (!allFinite(data)) {
      throw new InputError('bad-checkpoint', `${file} holds NaN or infinity in ${name}: take an earlier checkpoint`)
    }
    storedTypes.add(tensor.type)
    tensors.set(name, { shape: tensor.shape, data })
  }
  return { format, storedTypes: [...storedTypes], tensors, notes: note === null ? [] : [note] }
}

function readStored(bytes: Uint8Array, file: string): { format: string; tensors: StoredTensors; note: string | null } {
  if (bytes.byteLength === 0) throw new InputError('bad-checkpoint', `${file} is empty: copy or download it again`)
  if (isZip(bytes)) return { format: 'PyTorch zip', ...findStateDict(readTorchZip(bytes, file), file) }
  if (isLegacyTorch(bytes)) return { format: 'PyTorch legacy', ...findStateDict(readTorchLegacy(bytes, file), file) }
  if (isSafetensors(bytes)) return { format: 'safetensors', tensors: readSafetensors(bytes, file), note: null }
  if (looksLikePickle(bytes)) {
    // Reading it names what it asks for; whatever it holds, its numbers are not where torch.save puts them.
    readPickle(new ByteCursor(bytes, file), new TorchVocabulary(file, () => bytes))
    throw new InputError(
      'bad-checkpoint',
      `${file} is a Python pickle that torch.save did not write: save the weights with torch.save(model.state_dict(), FILE)`,
    )
  }
  const kind = fileKind(bytes)
  throw new InputError(
    'bad-checkpoint',
    `${file} is no checkpoint${kind === undefined ? '' : `: it looks like ${kind}`}; headlight reads PyTorch and safetensors files`,
  )
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

function allFinite(data: Float32Array): boolean {
  // x − x is 0 for every finite number and NaN otherwise: no branch in the loop.
  let sum = 0
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0
    sum += value - value
  }
  return sum === 0
}
