import sharp, { type OutputInfo, type Sharp } from 'sharp'
import { HeadlightError, SampleError } from '../base/errors.ts'
import { endsEarly, sniff, type ImageFormat } from './container.ts'
import { hasFlaw } from './flaw.ts'
import { isDamageAWarning } from './tiffDirectory.ts'
import { withUsableOrientation } from './tiffOrientation.ts'
import { unsupportedKind } from './unsupported.ts'

// No image is decoded twice, so libvips' cache would only hold memory; and each decode gets one thread, since a worker
// keeps every core busy with images of their own.
sharp.cache(false)
sharp.concurrency(1)

/** An 8-bit RGB image: `pixels` is height × width × 3, row-major. */
export interface DecodedImage {
  width: number
  height: number
  pixels: Uint8Array
}

export interface DecodeOptions {
  /** Width × height above which an image is refused, from its header alone. */
  maxPixels: number
  /** Whether EXIF orientation is applied. Pillow's `Image.open` does not (TIFF excepted), nor do the origin's scripts. */
  applyExifOrientation: boolean
  /** Awaited once the header is read, before memory is taken: told about how many bytes decoding takes at its peak. */
  onHeader?: (neededBytes: number) => Promise<void>
}

/**
 * Decodes to what Pillow 12's `Image.open(file).convert('RGB')` yields, bit for bit: grey is repeated, alpha is dropped
 * (not composited), CMYK is converted by plain arithmetic, 16-bit colour keeps its high byte, embedded ICC profiles and
 * gamma are ignored, an animation gives its first frame. Three of Pillow's ways that surprise are kept as well:
 *
 * - 16-bit, 32-bit and float **grey without alpha is clipped** to 0..255, not scaled, so a full-range scan comes out
 *   white nearly everywhere; whoever has such data converts it first, knowing its range.
 * - A TIFF's orientation tag is always applied.
 * - Colour of fully transparent pixels is kept.
 *
 * What Pillow refuses is refused (`npm run test:mutated`), and some damaged files that it reads are, too.
 *
 * Known differences: AVIF (another decoder's colour conversion, ±1 at 4:4:4, more at sharp edges of subsampled chroma; and
 * it is always turned as it says, since that is part of its format and not of EXIF), transparent areas of a GIF (black
 * here), LAB TIFF and animated AVIF (refused here),
 * a PNG whose pixel data fail their checksum (refused here).
 *
 * The work is done on libuv's threads. Raises SampleError only: `empty-object`, `not-an-image`, `truncated-image`,
 * `corrupt-image`, `too-many-pixels`.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage> {
  if (bytes.length === 0) {
    throw new SampleError('empty-object', 'the file is empty; put a whole one in its place')
  }
  const sniffed = sniff(bytes)
  if ('instead' in sniffed) {
    throw new SampleError(
      'not-an-image',
      `the file is ${sniffed.instead}; headlight reads JPEG, PNG, WebP, TIFF, GIF and AVIF`,
    )
  }
  try {
    const image = await decode(bytes, sniffed.format, options)
    if (hasFlaw[sniffed.format](bytes, image)) throw refusal(bytes, sniffed.format, undefined)
    return image
  } catch (error) {
    if (error instanceof HeadlightError) throw error
    throw refusal(bytes, sniffed.format, error)
  }
}

async function decode(bytes: Uint8Array, format: ImageFormat, options: DecodeOptions): Promise<DecodedImage> {
  // Not `truncated`: libvips then passes over damaged strips of a TIFF, which Pillow refuses. Not always `warning`: Pillow
  // reads what libjpeg merely warns of.
  const failOn = format === 'tiff' && isDamageAWarning(bytes) ? 'warning' : 'error'
  const source = format === 'tiff' ? withUsableOrientation(bytes) : bytes
  const open = () =>
    sharp(source, {
      failOn,
      ignoreIcc: true,
      limitInputPixels: false,
      autoOrient: options.applyExifOrientation || format === 'tiff',
    })
  const header = await open().metadata()
  const pixelCount = header.width * header.height
  if (pixelCount > options.maxPixels) {
    throw new SampleError(
      'too-many-pixels',
      `the image is ${header.width} × ${header.height}, ${pixelCount} pixels, over the limit of ${options.maxPixels}; ` +
        'shrink it or raise --max-pixels',
    )
  }
  const decodedBytes = header.channels * (sampleBytes[header.depth] ?? 1)
  // The decoder's own channels, and the RGB that is made of them.
  await options.onHeader?.(pixelCount * (decodedBytes + 3))

  if (header.space === 'cmyk') {
    // Without the pipeline's colour space sharp would convert by an ICC profile of its own.
    const { data, info } = await raw(open().pipelineColourspace('cmyk').toColourspace('cmyk'))
    return { width: info.width, height: info.height, pixels: cmykToRgb(data, info.channels) }
  }
  const grey = header.channels === 1 || header.space === 'b-w' || header.space === 'grey16'
  if (header.depth === 'uchar') {
    const isRgb = header.channels === 3 && header.space === 'srgb'
    // Each step that has nothing to do still copies the picture.
    const picture = isRgb ? open() : open().removeAlpha()
    const { data, info } = await raw(isRgb ? picture : picture.toColourspace(grey ? 'b-w' : 'srgb'))
    const pixels = grey ? repeatGrey(data.length, (index) => data[index] ?? 0) : data
    return { width: info.width, height: info.height, pixels }
  }
  if (grey && isSampleDepth(header.depth)) {
    return await decodeDeepGrey(open(), header.depth, isPngWithAlpha(format, bytes))
  }
  if (header.depth === 'ushort') {
    const { data, info } = await raw(open().removeAlpha().toColourspace('rgb16'), 'ushort')
    const pixels = new Uint8Array(data.length / 2)
    for (let index = 0; index < pixels.length; index++) pixels[index] = data.readUInt16LE(2 * index) >> 8
    return { width: info.width, height: info.height, pixels }
  }
  throw new SampleError(
    'not-an-image',
    `the file is a ${header.space} TIFF of ${header.depth} samples, which Pillow does not read either; convert it to 8 bits`,
  )
}

/** Depths of more than one byte, by libvips' names. */
const sampleBytes: Readonly<Record<string, number>> = { ushort: 2, short: 2, uint: 4, int: 4, float: 4, double: 8 }

/** How a sample of one depth is read from sharp's raw output. */
const sampleReaders = {
  uchar: (data: Buffer, index: number) => data.readUInt8(index),
  char: (data: Buffer, index: number) => data.readInt8(index),
  ushort: (data: Buffer, index: number) => data.readUInt16LE(2 * index),
  short: (data: Buffer, index: number) => data.readInt16LE(2 * index),
  uint: (data: Buffer, index: number) => data.readUInt32LE(4 * index),
  int: (data: Buffer, index: number) => data.readInt32LE(4 * index),
  float: (data: Buffer, index: number) => data.readFloatLE(4 * index),
  double: (data: Buffer, index: number) => data.readDoubleLE(8 * index),
}
type SampleDepth = keyof typeof sampleReaders

function isSampleDepth(depth: string | undefined): depth is SampleDepth {
  return depth !== undefined && Object.hasOwn(sampleReaders, depth)
}

/** Grey of more than 8 bits: the high byte where a PNG has an alpha channel, else clipped (see `decodeImage`). */
async function decodeDeepGrey(image: Sharp, depth: SampleDepth, highByte: boolean): Promise<DecodedImage> {
  const { data, info } = await raw(image.removeAlpha().toColourspace(depth === 'ushort' ? 'grey16' : 'b-w'), depth)
  const sampleAt = sampleReaders[depth]
  const pixels = repeatGrey(info.width * info.height, (index) => {
    const sample = sampleAt(data, index)
    return highByte ? sample >> 8 : Math.min(255, Math.max(0, Math.trunc(sample)))
  })
  return { width: info.width, height: info.height, pixels }
}

/** Colour type 4. Grey with a transparent value (colour type 0) is shown by libvips as having alpha too. */
function isPngWithAlpha(format: ImageFormat, bytes: Uint8Array): boolean {
  return format === 'png' && bytes[25] === 4
}

async function raw(image: Sharp, depth: SampleDepth = 'uchar'): Promise<{ data: Buffer; info: OutputInfo }> {
  return await image.raw({ depth }).toBuffer({ resolveWithObject: true })
}

function repeatGrey(count: number, valueAt: (index: number) => number): Uint8Array {
  const pixels = new Uint8Array(3 * count)
  for (let index = 0, at = 0; index < count; index++, at += 3) {
    pixels[at] = pixels[at + 1] = pixels[at + 2] = valueAt(index)
  }
  return pixels
}

/** R = K′ − C·K′/255 with K′ = 255 − K, rounded; no profile. This is Pillow's conversion. */
function cmykToRgb(cmyk: Uint8Array, channels: number): Uint8Array {
  const pixels = new Uint8Array((cmyk.length / channels) * 3)
  for (let from = 0, to = 0; from < cmyk.length; from += channels, to += 3) {
    const light = 255 - (cmyk[from + 3] ?? 0)
    for (let channel = 0; channel < 3; channel++) {
      pixels[to + channel] = light - Math.round(((cmyk[from + channel] ?? 0) * light) / 255)
    }
  }
  return pixels
}

/**
 * The decoder's own words stay in `cause`: libvips keeps them in one buffer for all threads, so that they may be another
 * image's, and a record's text must not depend on what else was decoded at the time.
 */
function refusal(bytes: Uint8Array, format: ImageFormat, cause: unknown): SampleError {
  const kind = unsupportedKind(format, bytes)
  if (kind !== undefined) {
    const advice = 'store it as an 8-bit PNG'
    return new SampleError('not-an-image', `the file is ${kind}, which headlight does not read; ${advice}`, { cause })
  }
  const name = format.toUpperCase()
  return endsEarly(format, bytes)
    ? new SampleError('truncated-image', `the ${name} image ends before its last row; put a whole one in its place`, {
        cause,
      })
    : new SampleError('corrupt-image', `the ${name} image is damaged; replace it`, { cause })
}
