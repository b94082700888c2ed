import sharp from 'sharp'

/** Where a tile is to be marked, in pixels of the tile. */
export interface Tile {
  /** side × side × 3, RGB. */
  readonly pixels: Uint8Array
  readonly box: Readonly<Record<'x0' | 'y0' | 'x1' | 'y1', number>> | null
  /** Lines from one point, drawn in the order red, green, blue. */
  readonly axes: { readonly from: Point; readonly to: readonly [Point, Point, Point] } | null
}
type Point = readonly [x: number, y: number]

const perRow = 10
const gap = 4
/** Light enough to stand out from dark hair. */
const axisColours = ['#ff4030', '#30d030', '#4070ff']
const boxColour = '#ffd000'

/**
 * A PNG of square tiles, ten a row in reading order, each with its box and axes drawn over it. Lines end at their tile's
 * edge. Nothing is written into the picture: fonts are not to be relied on.
 */
export async function drawContactSheet(tiles: readonly Tile[], side: number): Promise<Uint8Array> {
  const columns = Math.min(perRow, Math.max(1, tiles.length))
  const rows = Math.max(1, Math.ceil(tiles.length / perRow))
  const [width, height] = [columns * (side + gap) - gap, rows * (side + gap) - gap]
  const pixels = new Uint8Array(width * height * 3).fill(255)
  const marks: string[] = []
  for (const [index, tile] of tiles.entries()) {
    const left = (index % perRow) * (side + gap)
    const top = Math.floor(index / perRow) * (side + gap)
    for (let row = 0; row < side; row++) {
      pixels.set(tile.pixels.subarray(row * side * 3, (row + 1) * side * 3), ((top + row) * width + left) * 3)
    }
    marks.push(`<svg x="${left}" y="${top}" width="${side}" height="${side}">${marksOf(tile)}</svg>`)
  }
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${marks.join('')}</svg>`
  return await sharp(pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .composite([{ input: Buffer.from(overlay) }])
    .png({ compressionLevel: 6 })
    .toBuffer()
}

function marksOf({ box, axes }: Tile): string {
  const lines: string[] = []
  if (box) {
    const size = `width="${number(box.x1 - box.x0)}" height="${number(box.y1 - box.y0)}"`
    lines.push(
      `<rect x="${number(box.x0)}" y="${number(box.y0)}" ${size} fill="none" stroke="${boxColour}" stroke-width="2"/>`,
    )
  }
  if (axes) {
    const from = `x1="${number(axes.from[0])}" y1="${number(axes.from[1])}"`
    for (const [index, to] of axes.to.entries()) {
      const ends = `${from} x2="${number(to[0])}" y2="${number(to[1])}"`
      lines.push(`<line ${ends} stroke="${axisColours[index]}" stroke-width="3" stroke-linecap="round"/>`)
    }
  }
  return lines.join('')
}

function number(value: number): string {
  return value.toFixed(2)
}
