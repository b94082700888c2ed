import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

const perFolder = 1_000
const checkpoint = fileURLToPath(new URL('../checkpoints/tiny_hp.pkl', import.meta.url))

/** Pictures of 32×32 that all differ; one in a thousand is empty and must become a failed record. */
export async function makeImages(folder: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += perFolder) {
    const below = join(folder, String(from / perFolder).padStart(5, '0'))
    await mkdir(below, { recursive: true })
    const files = Array.from({ length: Math.min(perFolder, count - from) }, async (_, i) => {
      const bytes = (from + i) % perFolder === 5 ? Buffer.alloc(0) : await picture(from + i)
      await writeFile(join(below, `${String(from + i).padStart(8, '0')}.png`), bytes)
    })
    await Promise.all(files)
  }
}

function picture(index: number): Promise<Buffer> {
  const pixels = Buffer.alloc(32 * 32 * 3)
  for (let at = 0; at < pixels.length; at++) pixels[at] = (at * (1 + (index % 251)) + index * 7 + (index >> 8)) & 255
  return sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer()
}

/** The tiny network at 32×32, so that an image costs milliseconds. */
export async function makeNetwork(folder: string): Promise<string> {
  const network = join(folder, 'tiny_hp.pkl')
  await copyFile(checkpoint, network)
  await writeFile(`${network}.yaml`, 'input: { width: 32, height: 32 }\n')
  return network
}
