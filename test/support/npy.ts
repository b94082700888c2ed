import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export interface NpyArray {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int16Array | Uint8Array
}

/** Reads a .npy (v1, C order, float32, int16 or uint8) or .npy.gz file. */
export function readNpy(path: string | URL): NpyArray {
  const file = readFileSync(path)
  const bytes = String(path).endsWith('.gz') ? gunzipSync(file) : file
  const headerLength = bytes.readUInt16LE(8)
  const header = bytes.toString('latin1', 10, 10 + headerLength)
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').filter((part) => part.trim() !== '')
  const body = Uint8Array.from(bytes.subarray(10 + headerLength))
  if (/'descr': '\|u1'/.test(header)) return { shape: shape.map(Number), data: body }
  if (/'descr': '<i2'/.test(header)) return { shape: shape.map(Number), data: new Int16Array(body.buffer) }
  if (!/'descr': '<f4'/.test(header)) throw new Error(`${String(path)} has a type that this reader does not know`)
  return { shape: shape.map(Number), data: new Float32Array(body.buffer) }
}
