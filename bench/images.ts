import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import type { S3Server } from '../test/support/s3Server.ts'
import { sampleImage } from './gpu/files.ts'

export type Format = 'png' | 'jpg'

const nameOf = (index: number, format: Format): string => `frame_${String(index).padStart(5, '0')}.${format}`

/** A folder of `count` copies of the sample image, which has 640 × 480 pixels. */
export async function imageFolder(folder: string, count: number, format: Format = 'png'): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const source = join(folder, '..', `sample.${format}`)
  if (format === 'png') copyFileSync(sampleImage, source)
  else writeFileSync(source, await sharp(sampleImage).jpeg({ quality: 92 }).toBuffer())
  for (let i = 0; i < count; i++) copyFileSync(source, join(folder, nameOf(i, format)))
  return folder
}

/** The same in S3, below a prefix that ends with a slash. */
export function putImages(s3: S3Server, prefix: string, count: number): void {
  for (let i = 0; i < count; i++) s3.put(`${prefix}${nameOf(i, 'png')}`, readFileSync(sampleImage))
}
