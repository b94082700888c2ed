import { roundHalfToEven } from '../base/rounding.ts'
import type { Picture, Region } from './resize.ts'

/** Fractional bits of a weight, `INTER_RESIZE_COEF_BITS`. */
const weightBits = 11
const one = 1 << weightBits

/** What each output position along one axis is made of: of `first[i]` and `second[i]` by weights that add up to `one`. */
interface Pairs {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly firstWeight: Int32Array
  readonly secondWeight: Int32Array
}

/**
 * The part `wanted` of what OpenCV's `cv2.resize(image[source], (width, height))` yields, bit for bit, as rows of the
 * picture's channels. What of `source` lies outside the picture is black.
 *
 * This is INTER_LINEAR on 8 bits: between the two nearest pixels of each axis, however much it shrinks, so fine patterns
 * alias. OpenCV has a way of its own for exactly half the size, the mean of four pixels, which gives the same bits. Source:
 * opencv/opencv, modules/imgproc/src/resize.cpp, whose versions 4.14 and 5.0 agree on x86; a library that OpenCV may call in
 * its place on other processors can differ by a level.
 */
export function resizeOpencv(
  picture: Picture,
  source: Region,
  size: { readonly width: number; readonly height: number },
  wanted: Region = { x: 0, y: 0, width: size.width, height: size.height },
): Uint8Array {
  const channels = picture.channels ?? 3
  const columns = columnPairs(source, size.width, wanted, picture.width)
  const rows = pairs(source.height, size.height, wanted.y, wanted.height)
  const result = new Uint8Array(wanted.width * wanted.height * channels)
  const bands = new RowBands(picture, source, columns, wanted.width * channels)
  for (let row = 0, to = 0; row < wanted.height; row++) {
    const last = source.height - 1
    // Unlike columns, rows beyond the edge keep their weights: two roundings of one number, which OpenCV's bits depend on.
    const above = bands.at(Math.min(Math.max(rows.first[row]!, 0), last))
    const below = bands.at(Math.min(Math.max(rows.second[row]!, 0), last))
    const a = rows.firstWeight[row]!
    const b = rows.secondWeight[row]!
    for (let index = 0; index < above.length; index++, to++) {
      result[to] = (((a * above[index]!) >> 16) + ((b * below[index]!) >> 16) + 2) >> 2
    }
  }
  return result
}

/** Rows of the source, resized along the row, in 1/128 of a level; the two last ones asked for are kept. */
class RowBands {
  readonly #picture: Picture
  readonly #source: Region
  readonly #columns: Pairs
  #rows = [-1, -1]
  #bands: [Int32Array, Int32Array]
  #older = 0

  constructor(picture: Picture, source: Region, columns: Pairs, length: number) {
    this.#picture = picture
    this.#source = source
    this.#columns = columns
    this.#bands = [new Int32Array(length), new Int32Array(length)]
  }

  at(row: number): Int32Array {
    const known = this.#rows.indexOf(row)
    const place = known < 0 ? this.#older : known
    const band = this.#bands[place]!
    this.#older = 1 - place
    if (known >= 0) return band
    this.#rows[place] = row
    const y = this.#source.y + row
    const { width, height, pixels, channels = 3 } = this.#picture
    if (y < 0 || y >= height) band.fill(0)
    else if (channels === 1) resampleGray(pixels, y * width, this.#columns, band)
    else resampleRgb(pixels, y * width * 3, this.#columns, band)
    return band
  }
}

function resampleRgb(pixels: Uint8Array, rowAt: number, pairs: Pairs, into: Int32Array): void {
  const { first, second, firstWeight, secondWeight } = pairs
  for (let column = 0, to = 0; column < first.length; column++, to += 3) {
    const left = rowAt + first[column]! * 3
    const right = rowAt + second[column]! * 3
    const a = firstWeight[column]!
    const b = secondWeight[column]!
    into[to] = (a * pixels[left]! + b * pixels[right]!) >> 4
    into[to + 1] = (a * pixels[left + 1]! + b * pixels[right + 1]!) >> 4
    into[to + 2] = (a * pixels[left + 2]! + b * pixels[right + 2]!) >> 4
  }
}

function resampleGray(pixels: Uint8Array, rowAt: number, pairs: Pairs, into: Int32Array): void {
  const { first, second, firstWeight, secondWeight } = pairs
  for (let column = 0; column < first.length; column++) {
    const left = pixels[rowAt + first[column]!]!
    const right = pixels[rowAt + second[column]!]!
    into[column] = (firstWeight[column]! * left + secondWeight[column]! * right) >> 4
  }
}

/** Columns of the picture rather than of the source. One outside the picture is black and so weighs nothing. */
function columnPairs(source: Region, outputWidth: number, wanted: Region, pictureWidth: number): Pairs {
  const made = pairs(source.width, outputWidth, wanted.x, wanted.width)
  const last = source.width - 1
  for (let index = 0; index < wanted.width; index++) {
    const first = made.first[index]!
    if (first >= 0 && first < last) continue
    made.first[index] = made.second[index] = first < 0 ? 0 : last
    made.firstWeight[index] = one
    made.secondWeight[index] = 0
  }
  for (const [columns, weights] of [
    [made.first, made.firstWeight],
    [made.second, made.secondWeight],
  ] as const) {
    for (let index = 0; index < wanted.width; index++) {
      const column = source.x + columns[index]!
      if (column < 0 || column >= pictureWidth) weights[index] = 0
      columns[index] = Math.min(Math.max(column, 0), pictureWidth - 1)
    }
  }
  return made
}

/**
 * For the output positions `start` to `start + count`. Pixels may be one beyond either edge. Step for step in OpenCV's
 * mixture of double and single precision: another one rounds some weights the other way.
 */
function pairs(inputSize: number, outputSize: number, start: number, count: number): Pairs {
  const scale = 1 / (outputSize / inputSize)
  const made = {
    first: new Int32Array(count),
    second: new Int32Array(count),
    firstWeight: new Int32Array(count),
    secondWeight: new Int32Array(count),
  }
  for (let index = 0; index < count; index++) {
    const centre = Math.fround((start + index + 0.5) * scale - 0.5)
    const first = Math.floor(centre)
    const share = Math.fround(centre - first)
    made.first[index] = first
    made.second[index] = first + 1
    made.firstWeight[index] = roundHalfToEven(Math.fround(1 - share) * one)
    made.secondWeight[index] = roundHalfToEven(share * one)
  }
  return made
}
