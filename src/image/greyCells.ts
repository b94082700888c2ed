import { grayPart } from './gray.ts'

/** A network's input as it was cropped and resized. */
interface Input {
  readonly width: number
  readonly height: number
  /** Height × width × 3, RGB, or × 1 for gray, 8 bit. */
  readonly pixels: Uint8Array
}

/**
 * Means of grey over `side` × `side` equal cells, rounded, halves up; side × side levels, row-major. Grey is what Pillow's
 * `convert('L')` gives; a picture of one channel is taken as it is. A pixel counts to each cell with the area that both
 * share, so that any input size works, also one smaller than the cells are many.
 *
 * Lengths are counted in 1/`side` of a pixel, where the borders of pixels and of cells are both whole numbers: so all sums
 * are exact, and no pixel is touched by a float.
 */
export function greyCells({ width, height, pixels }: Input, side: number): Uint8Array {
  const isGrey = pixels.length === width * height
  const grey = isGrey ? pixels : grayPart({ width, height, pixels }, { x: 0, y: 0, width, height }, 'pillow').pixels
  const rows = rowSums(grey, width, height, side)
  const cells = new Uint8Array(side * side)
  const column = new Float64Array(side)
  for (const [row, { first, last, before, after }] of stretches(height, side).entries()) {
    column.fill(0)
    for (let y = first; y <= last; y++) {
      const weight = side - (y === first ? before : 0) - (y === last ? after : 0)
      for (let x = 0; x < side; x++) column[x]! += weight * rows[y * side + x]!
    }
    // Sums stay far below 2⁵³, and a quotient that is not half a level is further from one than its rounding error.
    for (let x = 0; x < side; x++) cells[row * side + x] = Math.round(column[x]! / (width * height))
  }
  return cells
}

/** Per pixel row, its sums over each of `side` equal stretches, in levels × 1/side of a pixel. */
function rowSums(grey: Uint8Array, width: number, height: number, side: number): Int32Array {
  const columns = stretches(width, side)
  const sums = new Int32Array(height * side)
  for (let y = 0, to = 0; y < height; y++) {
    const start = y * width
    for (const { first, last, before, after } of columns) {
      let sum = 0
      for (let at = start + first, end = start + last; at <= end; at++) sum += grey[at]!
      sums[to++] = side * sum - before * grey[start + first]! - after * grey[start + last]!
    }
  }
  return sums
}

/** The pixels that a stretch touches, and how much of the first and of the last lies outside, in 1/side of a pixel. */
interface Stretch {
  readonly first: number
  readonly last: number
  readonly before: number
  readonly after: number
}

function stretches(length: number, side: number): Stretch[] {
  return Array.from({ length: side }, (_, i) => {
    const [start, end] = [i * length, (i + 1) * length]
    const first = Math.floor(start / side)
    const last = Math.ceil(end / side) - 1
    return { first, last, before: start - first * side, after: (last + 1) * side - end }
  })
}
