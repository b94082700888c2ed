import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodePng } from '../../src/image/png.ts'
import { closeUps } from './heads.ts'

/**
 * Close-ups in the origin's file names, `HEAD00000012_-17_+1_+17.png`: number, then yaw, pitch and roll in degrees. The
 * masks go into a folder of their own, under the same names: beside the pictures they would be taken for pictures.
 * Returns the names.
 */
export async function writeFilenameDataset(options: {
  folder: string
  masks?: string | undefined
  seed: number
  count: number
  side: number
}): Promise<string[]> {
  const { folder, masks, seed, count, side } = options
  await mkdir(folder, { recursive: true })
  if (masks !== undefined) await mkdir(masks, { recursive: true })
  const names: string[] = []
  for (const { picture, pose } of closeUps({ seed, count, side, whole: true })) {
    const angles = [pose.yaw, pose.pitch, pose.roll].map((angle) => (angle < 0 ? `${angle}` : `+${angle}`))
    const name = `HEAD${String(names.length + 1).padStart(8, '0')}_${angles.join('_')}.png`
    names.push(name)
    await writeFile(join(folder, name), await encodePng(picture.pixels, side, side, 3))
    if (masks !== undefined) await writeFile(join(masks, name), await encodePng(picture.mask, side, side, 1))
  }
  return names
}
