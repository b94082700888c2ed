import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { readWeights } from '../../src/saliency/weights/read.ts'

const folder = new URL('../checkpoints/', import.meta.url)
const { tensors } = readWeights(readFileSync(new URL('tiny_hp.pkl', folder)), 'tiny_hp.pkl')

/** The tiny network in a file of `test/checkpoints` that stores float32, with the numbers of some tensors replaced. */
export function patchedCheckpoint(file: string, replaced: Readonly<Record<string, (value: number) => number>>): Buffer {
  const bytes = readFileSync(new URL(file, folder))
  for (const [tensor, replace] of Object.entries(replaced)) {
    const data = tensors.get(tensor)?.data ?? new Float32Array()
    const old = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const at = bytes.indexOf(old)
    if (old.length === 0 || at < 0) throw new Error(`${file} does not hold ${tensor} as it is`)
    const checksum = checksumOf(old)
    data.forEach((value, index) => bytes.writeFloatLE(replace(value), at + 4 * index))
    // In a zip it stands with each entry and in the list at the end.
    const patched = checksumOf(bytes.subarray(at, at + old.length))
    for (let place = bytes.indexOf(checksum); place >= 0; place = bytes.indexOf(checksum)) patched.copy(bytes, place)
  }
  return bytes
}

function checksumOf(bytes: Buffer): Buffer {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(crc32(bytes))
  return checksum
}

/**
 * A network that overflows for a bright picture and not for a black one, and how its input is described so that black is
 * zero: then its first ReLUs let nothing through.
 */
export const overflowing = {
  bytes: patchedCheckpoint('tiny_hp.safetensors', {
    'features.conv0.weight': (value) => Math.sign(value) * 1e37,
    'features.norm0.bias': () => -1000,
  }),
  override: { input: { range: 255, mean: [0, 0, 0], std: [1, 1, 1] } },
}
