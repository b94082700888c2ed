import { SampleError } from '../base/errors.ts'
import { roundHalfToEven } from '../base/rounding.ts'
import type { DecodedImage } from './codec.ts'
import { grayPart } from './gray.ts'
import { resizeOpencv } from './opencvResize.ts'
import { resizeBilinear, type Region } from './resize.ts'

/** In image pixels, fractional; structurally an adapter's box. */
type Corners = Readonly<Record<'x0' | 'y0' | 'x1' | 'y1', number>>

/** How an image becomes a network's input of `width` × `height`. */
export interface CropRule {
  readonly width: number
  readonly height: number
  /**
   * - `shorter-side`: shrunk or enlarged until it just covers the input, then cropped around the centre (torchvision's
   *   `Resize` and `CenterCrop`).
   * - `stretch`: straight to the size, whatever that does to the aspect ratio.
   * - `letterbox`: shrunk or enlarged until it just fits in, around it black (albumentations' `LongestMaxSize` and
   *   `PadIfNeeded`).
   */
  readonly resize: 'shorter-side' | 'stretch' | 'letterbox'
  /** The shorter side (`shorter-side`) or both sides (`stretch`) before the crop; no less than the input's. */
  readonly resizeTo?: number | undefined
  /** Absent: Pillow's. */
  readonly filter?: 'opencv' | undefined
  /** Absent, `rgb` and `bgr`: the pixels are RGB, which the network's program puts in order. */
  readonly channels?: 'rgb' | 'bgr' | 'gray' | undefined
}

/** JPEG's own limit. A longer box is a mistake in a label file, and would ask for tables of its length. */
const longestSide = 65_535

/**
 * Box → gray → resize → centre crop: height × width × 3, or × 1 for gray. A box is rounded to whole pixels (halves to even)
 * and filled with black where it reaches past the image, as Pillow's `crop` does. `crop` is the rectangle x0, y0, x1, y1 of
 * the image, in fractional pixels, that the result shows; the margins of a letterbox lie outside the box. Raises SampleError
 * `bad-label` for a box that is empty or shows nothing of the image.
 */
export function cropToInput(
  image: DecodedImage,
  box: Corners | null,
  rule: CropRule,
): { pixels: Uint8Array; crop: [number, number, number, number] } {
  const source = box === null ? { x: 0, y: 0, width: image.width, height: image.height } : wholePixels(image, box)
  const size = resizedSize(source, rule)
  const view = { ...centred(size, rule), width: rule.width, height: rule.height }
  const perColumn = source.width / size.width
  const perRow = source.height / size.height
  return {
    pixels: resized(image, source, size, view, rule),
    crop: [
      source.x + view.x * perColumn,
      source.y + view.y * perRow,
      source.x + (view.x + view.width) * perColumn,
      source.y + (view.y + view.height) * perRow,
    ],
  }
}

interface Size {
  readonly width: number
  readonly height: number
}

/** What the whole of `source` is resized to, before the crop or the margins. */
function resizedSize(source: Region, { resize, resizeTo, width, height }: CropRule): Size {
  if (resize === 'letterbox') return fittingSize(source, width, height)
  const target = resizeTo === undefined ? { width, height } : { width: resizeTo, height: resizeTo }
  return resize === 'stretch' ? target : coveringSize(source, target)
}

/** The size whose one side is the target's and whose other, truncated as torchvision does, is at least the target's. */
function coveringSize(source: Region, { width, height }: Size): Size {
  return source.width * height <= source.height * width
    ? { width, height: Math.trunc((width * source.height) / source.width) }
    : { width: Math.trunc((height * source.width) / source.height), height }
}

/** The size whose one side is the input's and whose other, rounded as albumentations does, is at most the input's. */
function fittingSize(source: Region, width: number, height: number): Size {
  const scale = Math.min(width / source.width, height / source.height)
  // Where a hair-thin image would have no width left, OpenCV raises an error.
  const scaled = (side: number): number => Math.max(1, roundHalfToEven(side * scale))
  return { width: scaled(source.width), height: scaled(source.height) }
}

/** Where the input begins in what was resized; negative where that is smaller. */
function centred(size: Size, { width, height, resize }: CropRule): { x: number; y: number } {
  // torchvision rounds, halves to even; albumentations puts the odd row or column of margin last.
  const begin = (spare: number): number => (resize === 'letterbox' ? Math.ceil(spare / 2) : roundHalfToEven(spare / 2))
  return { x: begin(size.width - width), y: begin(size.height - height) }
}

function resized(image: DecodedImage, source: Region, size: Size, view: Region, rule: CropRule): Uint8Array {
  const resize = rule.filter === 'opencv' ? resizeOpencv : resizeBilinear
  const visible = overlap(view, { x: 0, y: 0, ...size })
  if (rule.channels === 'gray') {
    const part = overlap(source, { x: 0, y: 0, width: image.width, height: image.height })
    const gray = grayPart(image, part, rule.filter ?? 'pillow')
    const within = { ...source, x: source.x - part.x, y: source.y - part.y }
    return onBlack(resize(gray, within, size, visible), visible, view, 1)
  }
  return onBlack(resize(image, source, size, visible), visible, view, 3)
}

/** Pixels of `part` as those of the larger `whole`. */
function onBlack(pixels: Uint8Array, part: Region, whole: Region, channels: 1 | 3): Uint8Array {
  if (part.width === whole.width && part.height === whole.height) return pixels
  const result = new Uint8Array(whole.width * whole.height * channels)
  const rowBytes = part.width * channels
  for (let row = 0; row < part.height; row++) {
    const to = ((part.y - whole.y + row) * whole.width + part.x - whole.x) * channels
    result.set(pixels.subarray(row * rowBytes, (row + 1) * rowBytes), to)
  }
  return result
}

function overlap(one: Region, other: Region): Region {
  const [x, y] = [Math.max(one.x, other.x), Math.max(one.y, other.y)]
  const right = Math.min(one.x + one.width, other.x + other.width)
  const bottom = Math.min(one.y + one.height, other.y + other.height)
  return { x, y, width: right - x, height: bottom - y }
}

function wholePixels(image: DecodedImage, box: Corners): Region {
  const [x, y] = [roundHalfToEven(box.x0), roundHalfToEven(box.y0)]
  const [x1, y1] = [roundHalfToEven(box.x1), roundHalfToEven(box.y1)]
  const region = { x, y, width: x1 - x, height: y1 - y }
  const sane = region.width >= 1 && region.height >= 1 && Math.max(region.width, region.height) <= longestSide
  const seen = x < image.width && y < image.height && x1 > 0 && y1 > 0
  // Both are false for NaN too.
  if (!sane || !seen) {
    throw new SampleError(
      'bad-label',
      `the box ${box.x0}, ${box.y0}, ${box.x1}, ${box.y1} shows nothing of the ${image.width} × ${image.height} image ` +
        'or is larger than any image; correct it',
    )
  }
  return region
}
