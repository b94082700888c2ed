import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeNpy } from '../../src/image/npy.ts'
import { closeUps } from './heads.ts'

/**
 * Close-ups for training: `pictures.npy` (count × side × side × 3, uint8) and `poses.npy` (count × 3, float32: yaw, pitch,
 * roll in degrees). One file that is mapped into memory, since decoding a PNG costs more than a training step on one.
 */
export async function writeArrayDataset(options: {
  folder: string
  seed: number
  first: number
  count: number
  side: number
}): Promise<void> {
  const { folder, seed, first, count, side } = options
  await mkdir(folder, { recursive: true })
  const poses = new Float32Array(3 * count)
  const file = await open(join(folder, 'pictures.npy'), 'w')
  try {
    await file.write(header([count, side, side, 3]))
    let index = 0
    for (const { picture, pose } of closeUps({ seed, first, count, side })) {
      await file.write(picture.pixels)
      poses.set([pose.yaw, pose.pitch, pose.roll], 3 * index++)
    }
  } finally {
    await file.close()
  }
  await writeFile(join(folder, 'poses.npy'), encodeNpy(poses, [count, 3], { dtype: 'float32' }))
}

/** NumPy's format 1.0 for bytes, padded so that the data begin at a multiple of 64. */
function header(shape: readonly number[]): Uint8Array {
  const fields = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`
  const length = Math.ceil((10 + fields.length + 1) / 64) * 64
  const bytes = Buffer.alloc(length, ' ')
  bytes.write('\x93NUMPY\x01\x00', 0, 'latin1')
  bytes.writeUInt16LE(length - 10, 8)
  bytes.write(fields, 10, 'latin1')
  bytes.write('\n', length - 1, 'latin1')
  return bytes
}
