import { hasAvifFlaw } from './avifFlaw.ts'
import type { ImageFormat } from './container.ts'
import { hasGifFlaw } from './gifFlaw.ts'
import { hasJpegFlaw } from './jpegFlaw.ts'
import { hasPngFlaw } from './pngFlaw.ts'
import { hasTiffFlaw } from './tiffFlaw.ts'

interface Size {
  readonly width: number
  readonly height: number
}

/** Per format, whether a file of which libvips makes a picture (of that size) is one that Pillow refuses. */
export const hasFlaw: Readonly<Record<ImageFormat, (bytes: Uint8Array, picture: Size) => boolean>> = {
  jpeg: hasJpegFlaw,
  png: hasPngFlaw,
  gif: hasGifFlaw,
  tiff: hasTiffFlaw,
  avif: hasAvifFlaw,
  // Read by the same library.
  webp: () => false,
}
