import { bigEndian, littleEndian } from './byteOrder.ts'

/** Tags of a TIFF by their names in the standard. */
export const tiffTags = {
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  samplesPerPixel: 277,
  stripByteCounts: 279,
  planarConfiguration: 284,
  colourMap: 320,
  tileOffsets: 324,
  tileByteCounts: 325,
  extraSamples: 338,
  sampleFormat: 339,
  windowsMediaPhoto: 0xbc01,
} as const

const readTags: ReadonlySet<number> = new Set(Object.values(tiffTags))
const orientationTag = 274

/** The first directory of a TIFF or BigTIFF: the fields that describe its first picture. */
export interface TiffDirectory {
  readonly isBigEndian: boolean
  /** Whether it is a BigTIFF. */
  readonly isLarge: boolean
  /** Its entry of the orientation: where that begins, and the first of its values, as an unsigned number. */
  readonly orientation?: { readonly at: number; readonly type: number; readonly count: number; readonly value: number }
  /** The fields of `tiffTags` that are there: whole numbers, or null for one of another type. */
  readonly fields: ReadonlyMap<number, readonly number[] | null>
  /** Whether it, or what it points to, lies behind the end of the file; then what was read before that. */
  readonly isCutOff: boolean
}

/** Bytes per value by field type: byte, ASCII, short, long, rational, their signed kin, float, double, directory, 8-byte kin. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]
/** Short, long, directory, long of 8 bytes. */
const wholeTypes = new Set([3, 4, 13, 16])

export function readTiffDirectory(bytes: Uint8Array): TiffDirectory {
  const isBigEndian = bytes[0] === 0x4d
  const read = isBigEndian ? bigEndian : littleEndian
  const isLarge = read(bytes, 2, 2) === 43
  // What a count, an offset and an entry take in either kind.
  const [countBytes, offsetBytes, entryBytes] = isLarge ? [8, 8, 20] : [2, 4, 12]
  const start = read(bytes, isLarge ? 8 : 4, offsetBytes)
  const end = start + countBytes + entryBytes * read(bytes, start, countBytes)
  const fields = new Map<number, number[] | null>()
  let orientation: TiffDirectory['orientation']
  const found = (isCutOff: boolean): TiffDirectory => ({
    isBigEndian,
    isLarge,
    fields,
    isCutOff,
    ...(orientation && { orientation }),
  })
  if (start + countBytes > bytes.length) return found(true)
  // Many fields may point to the same large piece of a file; together they must not be more than the file.
  let budget = bytes.length
  for (let at = start + countBytes; at < end; at += entryBytes) {
    if (at + entryBytes > bytes.length) return found(true)
    const type = read(bytes, at + 2, 2)
    const size = typeBytes[type] ?? 0
    const count = read(bytes, at + 4, offsetBytes)
    const inPlace = at + 4 + offsetBytes
    const from = count * size <= offsetBytes ? inPlace : read(bytes, inPlace, offsetBytes)
    if (from + count * size > bytes.length) return found(true)
    const tag = read(bytes, at, 2)
    // An unknown type, or nothing.
    if (count * size === 0) continue
    if (tag === orientationTag) orientation = { at, type, count, value: read(bytes, from, size) }
    if (!readTags.has(tag)) continue
    budget -= count
    if (budget < 0) return found(true)
    const values = wholeTypes.has(type)
      ? Array.from({ length: count }, (_, index) => read(bytes, from + index * size, size))
      : null
    fields.set(tag, values)
  }
  return found(false)
}

/** 1, none, where the file does not say. NaN for what is no number. */
export function compressionOf({ fields }: TiffDirectory): number {
  const found = fields.get(tiffTags.compression)
  return found === null ? NaN : (found?.[0] ?? 1)
}

const faxCompressions = new Set([2, 3, 4, 32771])

/** Tiles and fax code: whatever is wrong in them, libvips holds it for a mere warning. */
export function isDamageAWarning(bytes: Uint8Array): boolean {
  const directory = readTiffDirectory(bytes)
  return directory.fields.has(tiffTags.tileOffsets) || faxCompressions.has(compressionOf(directory))
}
