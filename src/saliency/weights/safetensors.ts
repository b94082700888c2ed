import { z } from 'zod'
import { ByteCursor, truncated } from './byteCursor.ts'
import type { StoredTensors } from './stateDict.ts'
import { bytesPerElement, rowMajorStrides, StoredTensor, UnsupportedTensor, type StoredType } from './storedTensor.ts'

const types: Readonly<Record<string, StoredType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
  C64: 'complex64',
}

const count = z.int().nonnegative()
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(count).max(8),
  data_offsets: z.tuple([count, count]),
})

/** The format's own limit for the header. */
const maxHeaderBytes = 100_000_000

/** An 8-byte length, then a JSON object: no other format starts so. */
export function isSafetensors(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 10) return false
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true)
  return header <= BigInt(maxHeaderBytes) && bytes[8] === 0x7b
}

/** Tensors by name, in the order of the header. They are views of the file. InputError `bad-checkpoint`. */
export function readSafetensors(bytes: Uint8Array, file: string): StoredTensors {
  const cursor = new ByteCursor(bytes, file)
  const header = parseHeader(cursor.text(cursor.u64(), 'utf8'), file)
  const data = cursor.bytes(cursor.remaining)
  const tensors = new Map<string, StoredTensor | UnsupportedTensor>()
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const { data: entry } = entrySchema.safeParse(value)
    if (!entry) throw truncated(file, `its header says something odd about ${JSON.stringify(name)}`)
    const type = Object.hasOwn(types, entry.dtype) ? types[entry.dtype] : undefined
    if (type === undefined) {
      // F8_E4M3 and whatever else the format comes to.
      tensors.set(name, new UnsupportedTensor(`${JSON.stringify(entry.dtype)} numbers`))
      continue
    }
    const [start, end] = entry.data_offsets
    const tensor = new StoredTensor({
      type,
      storage: () => data.subarray(start, end),
      offset: 0,
      shape: entry.shape,
      strides: rowMajorStrides(entry.shape),
    })
    if (end > data.byteLength || end - start !== tensor.size * bytesPerElement(type)) {
      throw truncated(file, `${name} should lie in bytes ${start} to ${end} of its ${data.byteLength} bytes of numbers`)
    }
    tensors.set(name, tensor)
  }
  return tensors
}

function parseHeader(text: string, file: string): object {
  let header: unknown
  try {
    header = JSON.parse(text)
  } catch {
    throw truncated(file, 'its header is not JSON')
  }
  if (typeof header !== 'object' || header === null) throw truncated(file, 'its header is no JSON object')
  return header
}
