import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

/** A photograph of 640 × 480. */
export const photograph = fileURLToPath(new URL('../../test/images/BIWI00000001_-17_+1_+17.png', import.meta.url))

export type Format = 'png' | 'jpg'

/** A folder of `count` copies of the photograph. */
export async function imageFolder(folder: string, count: number, format: Format = 'png'): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const source = join(folder, '..', `photograph.${format}`)
  if (format === 'png') copyFileSync(photograph, source)
  else writeFileSync(source, await sharp(photograph).jpeg({ quality: 92 }).toBuffer())
  for (let i = 0; i < count; i++) copyFileSync(source, join(folder, `frame_${String(i).padStart(5, '0')}.${format}`))
  return folder
}
