import type { InputError } from '../../base/errors.ts'
import { truncated } from './byteCursor.ts'
import type { PickleVocabulary } from './pickleMachine.ts'
import { modelByReference } from './pickleRefusals.ts'
import { PickleDict, PickleForeign, PickleGlobal, PickleTuple, PickleUnread, type PickleValue } from './pickleValues.ts'
import { rowMajorStrides, StoredTensor, UnsupportedTensor, type StoredType } from './storedTensor.ts'

/** What a persistent id names: `count` elements of `type` under `key`, which the container finds the bytes of. */
export interface StorageReference {
  readonly key: string
  readonly type: StoredType
  /** In elements. */
  readonly count: number
  /** A storage that is a window on another one (PyTorch before 0.4). */
  readonly view: { readonly offset: number; readonly count: number } | null
}

const storageTypes: Readonly<Record<string, StoredType>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
  ComplexDoubleStorage: 'complex128',
  ComplexFloatStorage: 'complex64',
  QInt32Storage: 'qint32',
  QInt8Storage: 'qint8',
  QUInt8Storage: 'quint8',
  UntypedStorage: 'bytes',
}

const elementTypes: Readonly<Record<string, StoredType>> = {
  'torch.float64': 'float64',
  'torch.float32': 'float32',
  'torch.float16': 'float16',
  'torch.bfloat16': 'bfloat16',
  'torch.int64': 'int64',
  'torch.int32': 'int32',
  'torch.int16': 'int16',
  'torch.int8': 'int8',
  'torch.uint64': 'uint64',
  'torch.uint32': 'uint32',
  'torch.uint16': 'uint16',
  'torch.uint8': 'uint8',
  'torch.bool': 'bool',
  'torch.complex128': 'complex128',
  'torch.complex64': 'complex64',
}

/** Calls that give a tensor which is none of plain numbers. */
const unsupported: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_qtensor': 'a quantised tensor',
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor',
  'torch._utils._rebuild_sparse_csr_tensor': 'a sparse tensor',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a meta tensor, which has no numbers',
  'torch._utils._rebuild_nested_tensor': 'a nested tensor',
  'torch._utils._rebuild_wrapper_subclass': 'a tensor of a class of its own',
  'torch._utils._rebuild_device_tensor_from_numpy': 'a tensor of another device',
  'torch._utils._rebuild_xla_tensor': 'a tensor of another device',
}

const callables: ReadonlySet<string> = new Set([
  'collections.OrderedDict',
  'collections.defaultdict',
  'torch.Size',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
  'torch._utils._rebuild_device_tensor_from_cpu_tensor',
  'torch._tensor._rebuild_from_type_v2',
  ...Object.keys(unsupported),
])

/** No network has tensors of more axes; each call copies the shape, so it must not be long. */
const maxAxes = 8

/** The handful of names that tensors need, and what calling them gives. Every other name is left unread. */
export class TorchVocabulary implements PickleVocabulary {
  readonly #file: string
  readonly #bytesOf: (reference: StorageReference) => Uint8Array
  /** By key; the first id that names a key decides its type and count, as in PyTorch. */
  readonly storages = new Map<string, StorageReference>()
  /** The names that were left unread, each once. */
  readonly unread = new Set<string>()

  /** `bytesOf` is called when a tensor's numbers are read, not before. How many bytes there are is checked then. */
  constructor(file: string, bytesOf: (reference: StorageReference) => Uint8Array) {
    this.#file = file
    this.#bytesOf = bytesOf
  }

  global(name: string): PickleGlobal | PickleUnread {
    const known = callables.has(name) || Object.hasOwn(elementTypes, name) || storageTypeOf(name) !== undefined
    return known ? new PickleGlobal(name) : this.#unread(name)
  }

  #unread(name: string): PickleUnread {
    this.unread.add(name)
    return new PickleUnread(name)
  }

  call(name: string, args: readonly PickleValue[]): PickleValue {
    const what = unsupported[name]
    if (what !== undefined) return new PickleForeign(new UnsupportedTensor(what))
    // Made of something unread, it is no more than that.
    if (args[0] instanceof PickleUnread) return args[0]
    switch (name) {
      case 'torch.Size':
        return args[0] instanceof PickleTuple ? args[0] : new PickleTuple([])
      case 'torch._utils._rebuild_parameter':
      case 'torch._utils._rebuild_parameter_with_state':
      case 'torch._utils._rebuild_device_tensor_from_cpu_tensor':
        if (tensorIn(args[0]) === undefined) throw this.#odd('a parameter without a tensor')
        return args[0] ?? null
      case 'torch._utils._rebuild_tensor':
      case 'torch._utils._rebuild_tensor_v2':
        return this.#tensor(args, undefined, args[6])
      case 'torch._utils._rebuild_tensor_v3': {
        const [type] = args.slice(6)
        if (type instanceof PickleUnread) {
          return new PickleForeign(new UnsupportedTensor(`${type.name.replace(/^torch\./, '')} numbers`))
        }
        const known = type instanceof PickleGlobal ? elementTypes[type.name] : undefined
        if (known === undefined) throw this.#odd('a tensor of an unknown number type')
        return this.#tensor(args, known, args[7])
      }
      case 'torch._tensor._rebuild_from_type_v2': {
        // A tensor of a subclass: the function that makes the tensor, the class, the function's arguments, a state.
        const [maker, , makerArgs] = args
        if (maker instanceof PickleUnread) return maker
        if (!(maker instanceof PickleGlobal) || !(makerArgs instanceof PickleTuple) || maker.name === name) {
          throw this.#odd(`a call of ${name}`)
        }
        return this.call(maker.name, makerArgs.items)
      }
      default:
        throw this.#odd(`a call of ${name}`)
    }
  }

  persistent(id: PickleValue): PickleValue {
    const parts = id instanceof PickleTuple ? id.items : []
    const [kind, typeName, key, , count, view] = parts
    if (kind === 'module') return this.#unread(modelByReference)
    if (kind !== 'storage') return new PickleUnread('a persistent id')
    if (typeName instanceof PickleUnread) return typeName
    const type = typeName instanceof PickleGlobal ? storageTypeOf(typeName.name) : undefined
    if (type === undefined || typeof key !== 'string' || !isCount(count)) throw this.#odd('an odd storage')
    const reference = { key, type, count, view: this.#view(view) }
    if (!this.storages.has(key)) this.storages.set(key, reference)
    return new PickleForeign(reference)
  }

  #view(view: PickleValue | undefined): StorageReference['view'] {
    if (view === undefined || view === null) return null
    const [key, offset, count] = view instanceof PickleTuple ? view.items : []
    if (typeof key !== 'string' || !isCount(offset) || !isCount(count)) throw this.#odd('an odd window on a storage')
    return { offset, count }
  }

  /** @param bits what a tensor's numbers are not stored with, but meant to be changed by */
  #tensor(
    args: readonly PickleValue[],
    givenType: StoredType | undefined,
    bits: PickleValue | undefined,
  ): PickleForeign<StoredTensor | UnsupportedTensor> {
    if (bits instanceof PickleDict && bits.entries.get('neg') === true) {
      return new PickleForeign(
        new UnsupportedTensor('the negative of its numbers (tensor.resolve_neg() writes it out)'),
      )
    }
    const [storage, offset, shape, strides] = args
    const reference = storage instanceof PickleForeign ? storage.value : undefined
    if (!isReference(reference) || !isCount(offset)) throw this.#odd('a tensor without a storage')
    const type = givenType ?? reference.type
    if (shape instanceof PickleTuple && shape.items.length > maxAxes) {
      return new PickleForeign(new UnsupportedTensor(`a tensor of more than ${maxAxes} axes`))
    }
    const sides = this.#counts(shape)
    const steps = strides === undefined ? rowMajorStrides(sides) : this.#counts(strides)
    if (sides.length !== steps.length) throw this.#odd('a tensor whose shape and strides differ in length')
    return new PickleForeign(
      new StoredTensor({ type, storage: () => this.#bytesOf(reference), offset, shape: sides, strides: steps }),
    )
  }

  #counts(value: PickleValue | undefined): number[] {
    const items = value instanceof PickleTuple ? value.items : undefined
    if (items === undefined || items.length > maxAxes) throw this.#odd('a tensor of an odd shape')
    return items.map((item) => {
      if (!isCount(item)) throw this.#odd('a tensor of an odd shape')
      return item
    })
  }

  #odd(what: string): InputError {
    return truncated(this.#file, `its pickle has ${what}`)
  }
}

export function tensorIn(value: PickleValue | undefined): StoredTensor | UnsupportedTensor | undefined {
  const inside = value instanceof PickleForeign ? value.value : undefined
  return inside instanceof StoredTensor || inside instanceof UnsupportedTensor ? inside : undefined
}

function storageTypeOf(name: string): StoredType | undefined {
  // torch.FloatStorage, torch.cuda.FloatStorage (old GPU files), torch.storage.UntypedStorage
  const match = /^torch\.(?:cuda\.|storage\.)?(\w+)$/.exec(name)
  const type = match?.[1]
  return type !== undefined && Object.hasOwn(storageTypes, type) ? storageTypes[type] : undefined
}

function isReference(value: unknown): value is StorageReference {
  return typeof value === 'object' && value !== null && 'key' in value && 'count' in value
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
