/** 8-bit pixels, height × width × channels, row-major. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
  /** 1 for gray; absent for RGB. */
  readonly channels?: 1
}

/** Whole image pixels: `x`, `y` of the first pixel and the size. May reach past the image, which counts as black there. */
export interface Region {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Fractional bits of a weight: 8 bits of pixel and 2 of headroom are left of 32. */
const weightBits = 22
const half = 1 << (weightBits - 1)

/** What each output position along one axis is made of: `counts[i]` inputs from `starts[i]` on. */
interface Taps {
  readonly starts: Int32Array
  readonly counts: Int32Array
  /** `stride` fixed-point weights per output position. */
  readonly weights: Int32Array
  readonly stride: number
}

/**
 * The part `wanted` of what Pillow's `image.crop(source).resize((width, height), BILINEAR)` yields, bit for bit, as rows
 * of the picture's channels. Nothing outside `wanted` is computed.
 *
 * This is a triangle filter as wide as the scale (so it does not alias), applied along rows, rounded to 8 bits, then
 * along columns. Both the rounding in between and the order matter: sharp's linear kernel differs by up to 6 levels.
 */
export function resizeBilinear(
  image: Picture,
  source: Region,
  size: { readonly width: number; readonly height: number },
  wanted: Region = { x: 0, y: 0, width: size.width, height: size.height },
): Uint8Array {
  const across = clip(tapsFor(source.width, size.width, wanted.x, wanted.width), -source.x, image.width - source.x)
  const down = clip(tapsFor(source.height, size.height, wanted.y, wanted.height), -source.y, image.height - source.y)

  let top = Infinity
  let bottom = -Infinity
  for (let row = 0; row < wanted.height; row++) {
    const count = down.counts[row] ?? 0
    if (count === 0) continue
    const start = down.starts[row] ?? 0
    top = Math.min(top, start)
    bottom = Math.max(bottom, start + count)
  }
  const rowBytes = wanted.width * (image.channels ?? 3)
  const result = new Uint8Array(wanted.height * rowBytes)
  if (top >= bottom) return result

  const between = scratch((bottom - top) * rowBytes)
  resampleRows(image, source.x, source.y + top, bottom - top, across, wanted.width, between)
  resampleColumns(between, top, down, rowBytes, wanted.height, result)
  return result
}

/** What lies between the two passes, kept: allocating it anew for each image costs as much as a pass. */
let kept = new Uint8Array(0)
const largestKept = 4 * 2 ** 20

function scratch(length: number): Uint8Array {
  if (length > largestKept) return new Uint8Array(length)
  if (kept.length < length) kept = new Uint8Array(length)
  return kept.subarray(0, length)
}

function resampleRows(
  image: Picture,
  left: number,
  top: number,
  rows: number,
  taps: Taps,
  width: number,
  into: Uint8Array,
): void {
  const { pixels, channels = 3 } = image
  const padded = channels === 3 ? fewTaps(taps, -left, image.width - left) : undefined
  for (let row = 0; row < rows; row++) {
    const from = ((top + row) * image.width + left) * channels
    const to = row * width * channels
    if (channels === 1) resampleGrayRow(pixels, from, taps, into, to)
    else if (padded) resampleRowByFew(pixels, from, padded, into, to, width)
    else resampleRow(pixels, from, taps, into, to, width)
  }
}

function resampleRow(pixels: Uint8Array, rowAt: number, taps: Taps, into: Uint8Array, to: number, width: number): void {
  const { starts, counts, weights, stride } = taps
  for (let column = 0; column < width; column++, to += 3) {
    let from = rowAt + starts[column]! * 3
    let weightAt = column * stride
    const end = weightAt + counts[column]!
    let red = half
    let green = half
    let blue = half
    for (; weightAt < end; weightAt++, from += 3) {
      const weight = weights[weightAt]!
      red += Math.imul(weight, pixels[from]!)
      green += Math.imul(weight, pixels[from + 1]!)
      blue += Math.imul(weight, pixels[from + 2]!)
    }
    into[to] = toByte(red)
    into[to + 1] = toByte(green)
    into[to + 2] = toByte(blue)
  }
}

function resampleGrayRow(pixels: Uint8Array, rowAt: number, taps: Taps, into: Uint8Array, to: number): void {
  const { starts, counts, weights, stride } = taps
  for (let column = 0; column < starts.length; column++) {
    const from = rowAt + starts[column]!
    let sum = half
    for (let tap = 0; tap < counts[column]!; tap++) {
      sum += Math.imul(weights[column * stride + tap]!, pixels[from + tap]!)
    }
    into[to + column] = toByte(sum)
  }
}

/** The loop over the taps written out, which more than halves the time. */
function resampleRowByFew(
  pixels: Uint8Array,
  rowAt: number,
  { starts, weights }: FewTaps,
  into: Uint8Array,
  to: number,
  width: number,
): void {
  for (let column = 0, at = 0; column < width; column++, at += few, to += 3) {
    const from = rowAt + starts[column]! * 3
    const a = weights[at]!
    const b = weights[at + 1]!
    const c = weights[at + 2]!
    const d = weights[at + 3]!
    const e = weights[at + 4]!
    into[to] =
      (half +
        Math.imul(a, pixels[from]!) +
        Math.imul(b, pixels[from + 3]!) +
        Math.imul(c, pixels[from + 6]!) +
        Math.imul(d, pixels[from + 9]!) +
        Math.imul(e, pixels[from + 12]!)) >>
      weightBits
    into[to + 1] =
      (half +
        Math.imul(a, pixels[from + 1]!) +
        Math.imul(b, pixels[from + 4]!) +
        Math.imul(c, pixels[from + 7]!) +
        Math.imul(d, pixels[from + 10]!) +
        Math.imul(e, pixels[from + 13]!)) >>
      weightBits
    into[to + 2] =
      (half +
        Math.imul(a, pixels[from + 2]!) +
        Math.imul(b, pixels[from + 5]!) +
        Math.imul(c, pixels[from + 8]!) +
        Math.imul(d, pixels[from + 11]!) +
        Math.imul(e, pixels[from + 14]!)) >>
      weightBits
  }
}

function resampleColumns(
  between: Uint8Array,
  top: number,
  taps: Taps,
  rowBytes: number,
  height: number,
  into: Uint8Array,
): void {
  const { starts, counts, weights, stride } = taps
  const padded = fewTaps(taps, top, top + between.length / rowBytes)
  const sums = new Int32Array(rowBytes)
  for (let row = 0; row < height; row++) {
    const to = row * rowBytes
    if (padded) {
      resampleColumnsByFew(between, (padded.starts[row]! - top) * rowBytes, padded.weights, row, into, to, rowBytes)
      continue
    }
    sums.fill(half)
    // Row by row rather than pixel by pixel, so that memory is read in order.
    let from = (starts[row]! - top) * rowBytes
    for (let tap = 0; tap < counts[row]!; tap++) {
      const weight = weights[row * stride + tap]!
      for (let index = 0; index < rowBytes; index++)
        sums[index] = (sums[index]! + Math.imul(weight, between[from++]!)) | 0
    }
    for (let index = 0; index < rowBytes; index++) into[to + index] = toByte(sums[index]!)
  }
}

function resampleColumnsByFew(
  between: Uint8Array,
  from: number,
  weights: Int32Array,
  row: number,
  into: Uint8Array,
  to: number,
  rowBytes: number,
): void {
  const a = weights[row * few]!
  const b = weights[row * few + 1]!
  const c = weights[row * few + 2]!
  const d = weights[row * few + 3]!
  const e = weights[row * few + 4]!
  for (let at = from; at < from + rowBytes; at++) {
    into[to++] =
      (half +
        Math.imul(a, between[at]!) +
        Math.imul(b, between[at + rowBytes]!) +
        Math.imul(c, between[at + 2 * rowBytes]!) +
        Math.imul(d, between[at + 3 * rowBytes]!) +
        Math.imul(e, between[at + 4 * rowBytes]!)) >>
      weightBits
  }
}

function toByte(sum: number): number {
  const value = sum >> weightBits
  return value > 255 ? 255 : value
}

/** Taps of a filter that shrinks to no less than two fifths, the usual case (640 × 480 to 224). */
const few = 5

/** `few` weights for each start; the rounding of so few is too small for a sum to pass 255. */
type FewTaps = Pick<Taps, 'starts' | 'weights'>

/**
 * The same taps as exactly `few` inputs per position, all of them between `low` and `high`, with weights of zero where
 * there were fewer; undefined where there are more, or not as many inputs.
 */
function fewTaps(taps: Taps, low: number, high: number): FewTaps | undefined {
  if (high - low < few || taps.counts.some((count) => count > few)) return undefined
  const positions = taps.starts.length
  const starts = new Int32Array(positions)
  const weights = new Int32Array(positions * few)
  for (let position = 0; position < positions; position++) {
    const wanted = taps.starts[position]!
    const start = Math.min(Math.max(wanted, low), high - few)
    starts[position] = start
    const own = taps.weights.subarray(position * taps.stride, position * taps.stride + taps.counts[position]!)
    if (own.length > 0) weights.set(own, position * few + wanted - start)
  }
  return { starts, weights }
}

/** The same taps without inputs before `low` or from `high` on: these are black and add nothing. */
function clip(taps: Taps, low: number, high: number): Taps {
  const { stride } = taps
  const starts = taps.starts.slice()
  const counts = taps.counts.slice()
  const weights = taps.weights.slice()
  for (let position = 0; position < starts.length; position++) {
    const from = starts[position]!
    const until = from + counts[position]!
    const start = Math.max(from, low)
    starts[position] = start
    counts[position] = Math.max(0, Math.min(until, high) - start)
    if (start > from) {
      const at = position * stride
      weights.copyWithin(at, at + Math.min(start, until) - from, at + until - from)
    }
  }
  return { starts, counts, weights, stride }
}

/** Datasets have few sizes, but boxes have many: the oldest table makes room for the newest. */
const tables = new Map<string, Taps>()
const keptTables = 64

function tapsFor(inputSize: number, outputSize: number, first: number, count: number): Taps {
  const key = `${inputSize}>${outputSize}:${first}+${count}`
  const known = tables.get(key)
  if (known !== undefined) return known
  const made = makeTaps(inputSize, outputSize, first, count)
  const oldest = tables.keys().next()
  if (tables.size >= keptTables && oldest.done !== true) tables.delete(oldest.value)
  tables.set(key, made)
  return made
}

/**
 * Taps of the output positions `first` to `first + size`; only these, since a hair-thin image resized to cover a square
 * is millions of pixels long. In doubles, step for step as Pillow does it: another order of operations rounds some
 * weights the other way.
 */
function makeTaps(inputSize: number, outputSize: number, first: number, size: number): Taps {
  const scale = inputSize / outputSize
  // Enlarging interpolates between neighbours; only shrinking widens the filter.
  const support = Math.max(scale, 1)
  const stride = Math.ceil(support) * 2 + 1
  const starts = new Int32Array(size)
  const counts = new Int32Array(size)
  const weights = new Int32Array(size * stride)
  const row = new Float64Array(stride)
  const perPixel = 1 / support
  for (let position = 0; position < size; position++) {
    const centre = (first + position + 0.5) * scale
    const start = Math.max(0, Math.trunc(centre - support + 0.5))
    const count = Math.min(inputSize, Math.trunc(centre + support + 0.5)) - start
    let total = 0
    for (let tap = 0; tap < count; tap++) {
      const distance = Math.abs((tap + start - centre + 0.5) * perPixel)
      const weight = distance < 1 ? 1 - distance : 0
      row[tap] = weight
      total += weight
    }
    for (let tap = 0; tap < count; tap++) {
      const weight = total === 0 ? row[tap]! : row[tap]! / total
      weights[position * stride + tap] = Math.trunc(0.5 + weight * (1 << weightBits))
    }
    starts[position] = start
    counts[position] = count
  }
  return { starts, counts, weights, stride }
}
