import { SampleError } from '../base/errors.ts'
import { roundHalfToEven } from '../base/rounding.ts'
import type { DecodedImage } from './codec.ts'
import { resizeBilinear, type Region } from './resize.ts'

/** In image pixels, fractional; structurally an adapter's box. */
type Corners = Readonly<Record<'x0' | 'y0' | 'x1' | 'y1', number>>

/** How an image becomes a network's input of `width` × `height`. */
export interface CropRule {
  width: number
  height: number
  /**
   * `shorter-side`: shrunk or enlarged until it just covers the input, then cropped around the centre (torchvision's
   * `Resize` and `CenterCrop`). `stretch`: straight to the size, whatever that does to the aspect ratio.
   */
  resize: 'shorter-side' | 'stretch'
}

/** JPEG's own limit. A longer box is a mistake in a label file, and would ask for tables of its length. */
const longestSide = 65_535

/**
 * Box → resize → centre crop. A box is rounded to whole pixels (halves to even) and filled with black where it reaches
 * past the image, as Pillow's `crop` does. `crop` is the rectangle x0, y0, x1, y1 of the image, in fractional pixels,
 * that the result shows. Raises SampleError `bad-label` for a box that is empty or shows nothing of the image.
 */
export function cropToInput(
  image: DecodedImage,
  box: Corners | null,
  rule: CropRule,
): { pixels: Uint8Array; crop: [number, number, number, number] } {
  const source = box === null ? { x: 0, y: 0, width: image.width, height: image.height } : wholePixels(image, box)
  const size = rule.resize === 'stretch' ? rule : coveringSize(source, rule)
  const wanted = {
    x: roundHalfToEven((size.width - rule.width) / 2),
    y: roundHalfToEven((size.height - rule.height) / 2),
    width: rule.width,
    height: rule.height,
  }
  const perColumn = source.width / size.width
  const perRow = source.height / size.height
  return {
    pixels: resizeBilinear(image, source, size, wanted),
    crop: [
      source.x + wanted.x * perColumn,
      source.y + wanted.y * perRow,
      source.x + (wanted.x + wanted.width) * perColumn,
      source.y + (wanted.y + wanted.height) * perRow,
    ],
  }
}

/** The size whose one side is the rule's and whose other, truncated as torchvision does, is at least the rule's. */
function coveringSize(source: Region, rule: CropRule): { width: number; height: number } {
  return source.width * rule.height <= source.height * rule.width
    ? { width: rule.width, height: Math.trunc((rule.width * source.height) / source.width) }
    : { width: Math.trunc((rule.height * source.width) / source.height), height: rule.height }
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
