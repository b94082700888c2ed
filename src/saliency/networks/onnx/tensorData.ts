import { TensorProto_DataType as DataType, type TensorProto } from 'onnx-buf'
import { InputError } from '../../../base/errors.ts'
import { shownText } from '../../../base/shownText.ts'
import { elements, type Shape } from '../../graph.ts'
import { bytesPerElement, rowMajorStrides, StoredTensor, widen, type StoredType } from '../../weights/storedTensor.ts'
import { NotImported } from './call.ts'
import { externalPart, type ExternalData } from './externalData.ts'
import type { Known, KnownType } from './value.ts'

/** Where the numbers of an ONNX file's tensors are found. */
export interface TensorSource {
  readonly file: string
  readonly externalData: ExternalData | undefined
}

/** The number types that are read, by ONNX's numbers for them. */
const types: ReadonlyMap<number, StoredType> = new Map([
  [DataType.FLOAT, 'float32'],
  [DataType.DOUBLE, 'float64'],
  [DataType.FLOAT16, 'float16'],
  [DataType.BFLOAT16, 'bfloat16'],
  [DataType.INT64, 'int64'],
  [DataType.INT32, 'int32'],
  [DataType.INT16, 'int16'],
  [DataType.INT8, 'int8'],
  [DataType.UINT64, 'uint64'],
  [DataType.UINT32, 'uint32'],
  [DataType.UINT16, 'uint16'],
  [DataType.UINT8, 'uint8'],
  [DataType.BOOL, 'bool'],
])

/** Undefined for text, complex numbers and types of quantised networks. */
export function storedTypeOf(dataType: number): StoredType | undefined {
  return types.get(dataType)
}

export function knownTypeOf(type: StoredType): KnownType {
  if (type === 'bool') return 'bool'
  return type.startsWith('float') || type.startsWith('bfloat') ? 'float' : 'int'
}

/** The name of a type that is not read, for sentences: `float8e4m3fn`. */
export function typeName(dataType: number): string {
  return (DataType[dataType] ?? `type ${dataType}`).toLowerCase()
}

/**
 * The numbers of a tensor in the file, read on first use. NotImported for types that are not read; InputError
 * `bad-checkpoint`, when they are read, for fewer or more numbers than its shape has.
 */
export function readTensor(tensor: TensorProto, source: TensorSource): Known {
  const type = storedTypeOf(tensor.dataType)
  if (type === undefined) throw new NotImported(`${tensor.name || 'a tensor'} of ${typeName(tensor.dataType)}`)
  const shape = tensor.dims.map(Number)
  if (shape.some((side) => side < 0)) throw damaged(tensor, source, `has shape ${shape.join('×')}`)
  return new FileTensor(tensor, source, type, shape)
}

class FileTensor implements Known {
  readonly kind = 'known'
  readonly type: KnownType
  readonly shape: Shape
  readonly name: string
  readonly #read: () => ArrayLike<number>
  #data: ArrayLike<number> | undefined

  constructor(tensor: TensorProto, source: TensorSource, type: StoredType, shape: Shape) {
    this.type = knownTypeOf(type)
    this.shape = shape
    this.name = tensor.name
    this.#read = () => numbersOf(tensor, source, type, shape)
  }

  get data(): ArrayLike<number> {
    return (this.#data ??= this.#read())
  }
}

function numbersOf(tensor: TensorProto, source: TensorSource, type: StoredType, shape: Shape): ArrayLike<number> {
  const count = elements(shape)
  const bytes = externalPart(tensor, source.file, source.externalData) ?? tensor.rawData
  if (bytes.byteLength > 0 || count === 0) {
    if (bytes.byteLength !== count * bytesPerElement(type)) {
      throw damaged(tensor, source, `has ${bytes.byteLength} bytes for ${shape.join('×')} numbers of ${type}`)
    }
    return rawNumbers(bytes, type, shape, tensor.name, source.file)
  }
  const listed = listedNumbers(tensor, type)
  if (listed.length !== count) throw damaged(tensor, source, `has ${listed.length} numbers for ${shape.join('×')}`)
  return listed
}

/** In the fields that a tensor has for each type, in the place of bytes. */
function listedNumbers(tensor: TensorProto, type: StoredType): ArrayLike<number> {
  if (type === 'float32') return Float32Array.from(tensor.floatData)
  if (type === 'float64') return Float32Array.from(tensor.doubleData)
  if (type === 'int64') return tensor.int64Data.map(Number)
  if (type === 'uint32' || type === 'uint64') return tensor.uint64Data.map(Number)
  if (knownTypeOf(type) !== 'float') return tensor.int32Data
  // The bits of float16 and bfloat16, as whole numbers.
  const bits = Uint16Array.from(tensor.int32Data)
  return widen(stored(new Uint8Array(bits.buffer), type, [bits.length]), '', tensor.name)
}

function rawNumbers(bytes: Uint8Array, type: StoredType, shape: Shape, name: string, file: string): ArrayLike<number> {
  if (knownTypeOf(type) === 'float') return widen(stored(bytes, type, shape), file, name)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const width = bytesPerElement(type)
  const read = readers[type]
  if (read === undefined) throw new NotImported(`${name} of ${type}`)
  return Array.from({ length: bytes.byteLength / width }, (_, index) => read(view, index * width))
}

function stored(bytes: Uint8Array, type: StoredType, shape: Shape): StoredTensor {
  return new StoredTensor({ type, storage: () => bytes, offset: 0, shape, strides: rowMajorStrides(shape) })
}

const readers: Readonly<Partial<Record<StoredType, (view: DataView, at: number) => number>>> = {
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  int32: (view, at) => view.getInt32(at, true),
  int16: (view, at) => view.getInt16(at, true),
  int8: (view, at) => view.getInt8(at),
  uint64: (view, at) => Number(view.getBigUint64(at, true)),
  uint32: (view, at) => view.getUint32(at, true),
  uint16: (view, at) => view.getUint16(at, true),
  uint8: (view, at) => view.getUint8(at),
  bool: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
}

function damaged({ name }: TensorProto, { file }: TensorSource, what: string): InputError {
  return new InputError(
    'bad-checkpoint',
    `${file} is damaged: ${shownText(name || 'a tensor')} ${shownText(what)}; copy or export it again`,
  )
}
