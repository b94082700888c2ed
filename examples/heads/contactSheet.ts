// Heads and, below each, its map laid over it, from a dataset and the maps that the pipeline made of it:
//   node --import tsx examples/heads/contactSheet.ts demo/heads demo/output/…/maps/yaw docs/heads.png
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { decodeImage } from '../../src/image/codec.ts'
import { drawOverlay } from '../../src/image/overlay.ts'

const [columns, pairs, side, gap] = [8, 3, 120, 4] as const

const [dataset, maps, out] = process.argv.slice(2)
if (dataset === undefined || maps === undefined || out === undefined) throw new Error('name dataset, maps and output')

const tiles: { input: Buffer; raw: { width: number; height: number; channels: 3 }; left: number; top: number }[] = []
const names = readdirSync(dataset).filter((name) => name.endsWith('.png'))
for (const [index, name] of names
  .sort()
  .slice(0, columns * pairs)
  .entries()) {
  const head = await sharp(join(dataset, name)).resize(side, side).removeAlpha().raw().toBuffer()
  const map = await decodeImage(readFileSync(join(maps, name)), { maxPixels: 1e6, applyExifOrientation: false })
  const left = (index % columns) * (side + gap)
  const top = Math.floor(index / columns) * 2 * (side + gap)
  const overlay = Buffer.from(drawOverlay(new Uint8Array(head), magnitudeOf(map.pixels), side, side))
  const raw = { width: side, height: side, channels: 3 } as const
  tiles.push({ input: head, raw, left, top }, { input: overlay, raw, left, top: top + side + 1 })
}

const size = { width: columns * (side + gap) - gap, height: pairs * 2 * (side + gap) - gap }
const sheet = sharp({ create: { ...size, channels: 3, background: 'white' } }).composite(tiles)
// 256 colours are enough to look at, and a third of the bytes.
await sheet.png({ palette: true, effort: 10 }).toFile(out)

/** A stored map is mid-grey where the gradient is zero, see the style `origin`. */
function magnitudeOf(pixels: Uint8Array): Float32Array {
  return Float32Array.from({ length: pixels.length / 3 }, (_, pixel) =>
    Math.max(...[0, 1, 2].map((channel) => Math.abs(pixels[3 * pixel + channel]! - 127.5))),
  )
}
