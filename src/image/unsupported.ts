import { latin1 } from './byteOrder.ts'
import type { ImageFormat } from './container.ts'
import { isFrame, jpegMarkers, jpegSegments } from './jpegSegments.ts'
import { compressionOf, readTiffDirectory } from './tiffDirectory.ts'
import { arrangementFlaw, readCompressions } from './tiffFlaw.ts'

/**
 * What kind of a format a refused file is, in words (with an article), where headlight reads the format but not this
 * kind of it: nothing is wrong with such a file. Undefined where the kind is one that it reads.
 */
export function unsupportedKind(format: ImageFormat, bytes: Uint8Array): string | undefined {
  if (format === 'tiff') return unsupportedTiff(bytes)
  if (format === 'jpeg') return unsupportedJpeg(bytes)
  // Its first picture need not be the one that stands beside the animation.
  if (format === 'avif' && latin1(bytes, 8, 4) === 'avis') return 'an animated AVIF image'
  return undefined
}

const compressionNames: Readonly<Record<number, string>> = {
  6: 'JPEG of the old kind',
  32766: 'NeXT 2-bit coding',
  32908: 'Pixar film coding',
  32909: 'Pixar log coding',
  33003: 'JPEG 2000',
  33004: 'JPEG 2000',
  33005: 'JPEG 2000',
  34661: 'JBIG',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34892: 'lossy JPEG of raw pictures',
  34925: 'LZMA',
  50000: 'Zstandard',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
}

function unsupportedTiff(bytes: Uint8Array): string | undefined {
  const directory = readTiffDirectory(bytes)
  // Of a file without its end, what is missing may be what matters.
  if (directory.isCutOff) return undefined
  const compression = compressionOf(directory)
  if (!readCompressions.has(compression)) {
    return `a TIFF compressed with ${compressionNames[compression] ?? `a method of the number ${compression}`}`
  }
  const arrangement = arrangementFlaw(directory)
  return arrangement === undefined ? undefined : `a TIFF with ${arrangement}`
}

function unsupportedJpeg(bytes: Uint8Array): string | undefined {
  for (const { code, content } of jpegSegments(bytes, 2)) {
    if (code === jpegMarkers.jpg7) return 'a JPEG-LS image'
    if (!isFrame(code)) continue
    if ((code >= 0xc5 && code <= 0xc7) || code >= 0xcd) return 'a hierarchical JPEG image'
    if (code === 0xcb) return 'a lossless JPEG image in arithmetic code'
    const [bits, , , , , components] = content
    if (bits !== undefined && bits !== 8) return `a JPEG image of ${bits} bits a sample`
    if (components !== undefined && ![1, 3, 4].includes(components)) return `a JPEG image of ${components} components`
    return undefined
  }
  return undefined
}
