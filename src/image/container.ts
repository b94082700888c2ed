import { bigEndian, latin1, littleEndian } from './byteOrder.ts'
import { colourTableBytes } from './gifFlaw.ts'
import { readTiffDirectory, tiffTags } from './tiffDirectory.ts'

/** Formats that `decodeImage` reads. All are recognised by their first bytes; a key's suffix plays no part. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif'

/** Things that turn up under an image suffix and are refused, by the text or bytes they start with. */
const refused: readonly (readonly [start: string, name: string])[] = [
  ['BM', 'a BMP image'],
  ['8BPS', 'a Photoshop document'],
  ['\0\0\x01\0', 'a Windows icon'],
  ['\0\0\0\x0cjP  ', 'a JPEG 2000 image'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL image'],
  ['\xff\x0a', 'a JPEG XL image'],
  ['%PDF', 'a PDF document'],
  ['PK\x03\x04', 'a zip archive'],
  ['\x1f\x8b', 'a gzip archive'],
  ['\x89HDF', 'an HDF5 file'],
  ['MATLAB', 'a MATLAB file'],
  ['\x76\x2f\x31\x01', 'an OpenEXR image'],
  ['qoif', 'a QOI image'],
  ['SIMPLE  =', 'a FITS image'],
  ['#?RADIANCE', 'a Radiance picture'],
]

/** What the bytes are: a format that is read, or in words (with an article) what they are instead. */
export function sniff(bytes: Uint8Array): { format: ImageFormat } | { instead: string } {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512)).toString('latin1')
  if (head.startsWith('\xff\xd8\xff')) return { format: 'jpeg' }
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return { format: 'png' }
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return { format: 'webp' }
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return { format: 'gif' }
  if (/^(II[*+]\0|MM\0[*+])/.test(head)) return { format: 'tiff' }
  if (head.slice(4, 8) === 'ftyp') {
    const brands = head.slice(8, Math.max(16, bigEndian(bytes, 0, 4)))
    if (/avi[fs]/.test(brands)) return { format: 'avif' }
    return { instead: brands.startsWith('crx ') ? 'a raw picture of a camera' : 'an HEIC image or a video' }
  }
  const known = refused.find(([start]) => head.startsWith(start))
  if (known !== undefined) return { instead: known[1] }
  if (/^P[1-7]\s/.test(head)) return { instead: 'a Netpbm image' }
  if (head.slice(128, 132) === 'DICM') return { instead: 'a DICOM image' }
  // SVG is markup too, and refused with it: what it draws depends on fonts and files of the machine that reads it.
  if (/^(\xef\xbb\xbf)?\s*</.test(head)) return { instead: 'markup (HTML, XML or SVG)' }
  if (/^[\t\n\r\x20-\x7e\xc2-\xf4][\t\n\r\x20-\x7e\x80-\xf4]*$/.test(head)) return { instead: 'text' }
  return { instead: 'no image format that headlight knows' }
}

/**
 * Whether a file that the decoder refused stops before its own structure says it should. Decoders name truncation and
 * damage alike ("read error"), but people mend them differently: an upload to repeat, or a file that was always bad.
 */
export function endsEarly(format: ImageFormat, bytes: Uint8Array): boolean {
  return walks[format](bytes)
}

const walks: Readonly<Record<ImageFormat, (bytes: Uint8Array) => boolean>> = {
  /** Segments to the end-of-image marker. Entropy-coded data is passed over by looking for the next real marker. */
  jpeg(bytes) {
    // Whatever looks like a long segment before that: it was made by damage.
    if (bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9) return false
    let at = 2
    for (;;) {
      at = bytes.indexOf(0xff, at)
      if (at < 0) return true
      while (bytes[at] === 0xff) at++
      const marker = bytes[at]
      if (marker === undefined) return true
      at++
      if (marker === 0xd9) return false
      const bare = marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)
      if (bare) continue
      if (at + 2 > bytes.length) return true
      at += bigEndian(bytes, at, 2)
    }
  },

  /** Chunks to IEND. */
  png(bytes) {
    let at = 8
    for (;;) {
      if (at + 12 > bytes.length) return true
      const type = latin1(bytes, at + 4, 4)
      if (type === 'IEND') return false
      if (!/^[A-Za-z]{4}$/.test(type)) return false
      at += 12 + bigEndian(bytes, at, 4)
    }
  },

  /** The RIFF header holds the length. */
  webp(bytes) {
    return bytes.length < 12 || littleEndian(bytes, 4, 4) + 8 > bytes.length
  },

  /** Extensions and frames to the trailer. */
  gif(bytes) {
    const pastSubBlocks = (from: number) => {
      let at = from
      for (let size = bytes[at]; size !== undefined && size !== 0; size = bytes[at]) at += size + 1
      return at + 1
    }
    let at = 13 + colourTableBytes(bytes[10] ?? 0)
    for (;;) {
      const introducer = bytes[at]
      if (introducer === undefined) return true
      if (introducer === 0x21) at = pastSubBlocks(at + 2)
      else if (introducer === 0x2c) at = pastSubBlocks(at + 11 + colourTableBytes(bytes[at + 9] ?? 0))
      else return false
    }
  },

  /** The first directory, all that it points to, and the strips or tiles that it names. */
  tiff(bytes) {
    const { fields, isCutOff } = readTiffDirectory(bytes)
    const beyond = (offsets: number, sizes: number) =>
      fields.get(offsets)?.some((offset, index) => offset + (fields.get(sizes)?.[index] ?? 0) > bytes.length) ?? false
    return (
      isCutOff ||
      beyond(tiffTags.stripOffsets, tiffTags.stripByteCounts) ||
      beyond(tiffTags.tileOffsets, tiffTags.tileByteCounts)
    )
  },

  /** Boxes of the outermost level. */
  avif(bytes) {
    let at = 0
    while (at < bytes.length) {
      if (at + 8 > bytes.length) return true
      const size = bigEndian(bytes, at, 4)
      if (size < 8) return false
      at += size
    }
    return at > bytes.length
  },
}
