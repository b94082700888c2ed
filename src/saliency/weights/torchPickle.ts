import { InputError } from '../../base/errors.ts'
import { truncated } from './byteCursor.ts'
import type { PickleVocabulary } from './pickleMachine.ts'
import { PickleDict, PickleForeign, PickleGlobal, PickleTuple, type PickleValue } from './pickleValues.ts'
import { rowMajorStrides, StoredTensor, type StoredType } from './storedTensor.ts'

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
  'torch.uint8': 'uint8',
  'torch.bool': 'bool',
}

const callables: ReadonlySet<string> = new Set([
  'collections.OrderedDict',
  'torch.Size',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
])

/** No network has tensors of more axes; each call copies the shape, so it must not be long. */
const maxAxes = 8

/** The handful of names that tensors need, and what calling them gives. */
export class TorchVocabulary implements PickleVocabulary {
  readonly #file: string
  readonly #bytesOf: (reference: StorageReference) => Uint8Array
  /** By key; the first id that names a key decides its type and count, as in PyTorch. */
  readonly storages = new Map<string, StorageReference>()

  /** `bytesOf` is called when a tensor's numbers are read, not before. How many bytes there are is checked then. */
  constructor(file: string, bytesOf: (reference: StorageReference) => Uint8Array) {
    this.#file = file
    this.#bytesOf = bytesOf
  }

  allows(name: string): boolean {
    return callables.has(name) || Object.hasOwn(elementTypes, name) || storageTypeOf(name) !== undefined
  }

  call(name: string, args: readonly PickleValue[]): PickleValue {
    switch (name) {
      case 'torch.Size':
        return args[0] instanceof PickleTuple ? args[0] : new PickleTuple([])
      case 'torch._utils._rebuild_parameter':
      case 'torch._utils._rebuild_parameter_with_state':
        if (tensorIn(args[0]) === undefined) throw this.#odd('a parameter without a tensor')
        return args[0] ?? null
      case 'torch._utils._rebuild_tensor':
      case 'torch._utils._rebuild_tensor_v2':
        this.#requirePlain(args[6])
        return new PickleForeign(this.#tensor(args, undefined))
      case 'torch._utils._rebuild_tensor_v3': {
        const type = args[6] instanceof PickleGlobal ? elementTypes[args[6].name] : undefined
        if (type === undefined) throw this.#odd('a tensor of an unknown number type')
        this.#requirePlain(args[7])
        return new PickleForeign(this.#tensor(args, type))
      }
      default:
        throw this.#odd(`a call of ${name}`)
    }
  }

  persistent(id: PickleValue): PickleValue {
    const parts = id instanceof PickleTuple ? id.items : []
    const [kind, typeName, key, , count, view] = parts
    if (kind === 'module') {
      throw new InputError(
        'bad-checkpoint',
        `${this.#file} is a whole pickled model, not its weights: load it where you trust it and save the weights alone with torch.save(model.state_dict(), FILE)`,
      )
    }
    const type = typeName instanceof PickleGlobal ? storageTypeOf(typeName.name) : undefined
    if (kind !== 'storage' || type === undefined || typeof key !== 'string' || !isCount(count)) {
      throw this.#odd('a reference to something that is no storage')
    }
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
  #requirePlain(bits: PickleValue | undefined): void {
    if (!(bits instanceof PickleDict) || bits.entries.get('neg') !== true) return
    throw new InputError(
      'bad-checkpoint',
      `${this.#file} holds a tensor that stands for the negative of its numbers: load it in PyTorch and save tensor.resolve_neg() in its place`,
    )
  }

  #tensor(args: readonly PickleValue[], givenType: StoredType | undefined): StoredTensor {
    const [storage, offset, shape, strides] = args
    const reference = storage instanceof PickleForeign ? storage.value : undefined
    if (!isReference(reference) || !isCount(offset)) throw this.#odd('a tensor without a storage')
    const type = givenType ?? reference.type
    const sides = this.#counts(shape)
    const steps = strides === undefined ? rowMajorStrides(sides) : this.#counts(strides)
    if (sides.length !== steps.length) throw this.#odd('a tensor whose shape and strides differ in length')
    return new StoredTensor({ type, storage: () => this.#bytesOf(reference), offset, shape: sides, strides: steps })
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

export function tensorIn(value: PickleValue | undefined): StoredTensor | undefined {
  return value instanceof PickleForeign && value.value instanceof StoredTensor ? value.value : undefined
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
