import { compressionOf, readTiffDirectory, tiffTags, type TiffDirectory } from './tiffDirectory.ts'

/**
 * Whether Pillow refuses a TIFF of which libvips makes a picture: Pillow reads the arrangements of samples that it has
 * in a table, and libvips whatever can be made sense of.
 */
export function hasTiffFlaw(bytes: Uint8Array): boolean {
  const directory = readTiffDirectory(bytes)
  return (
    directory.fields.has(tiffTags.windowsMediaPhoto) ||
    !readCompressions.has(compressionOf(directory)) ||
    arrangementFlaw(directory) !== undefined
  )
}

/** Of those that Pillow reads, the ones that the decoder here was built with. */
export const readCompressions: ReadonlySet<number> = new Set([
  1, 2, 3, 4, 5, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 50001,
])

/** What about the samples' arrangement Pillow does not take, in words; undefined when it takes it. */
export function arrangementFlaw(directory: TiffDirectory): string | undefined {
  const photometric = first(directory, tiffTags.photometric, 0)
  if (photometric === 3 && !directory.fields.has(tiffTags.colourMap)) return 'indexed colours and no colour map'
  const known = directory.isBigEndian ? bigEndian : littleEndian
  if (known.has(arrangementOf(directory, photometric))) return undefined
  const format = first(directory, tiffTags.sampleFormat, 1)
  const bits = numbers(directory, tiffTags.bitsPerSample, [1])
  return (
    `${first(directory, tiffTags.samplesPerPixel, 1)} samples a pixel of ${bits.join(', ')} bits ` +
    `(photometric interpretation ${photometric}, sample format ${format})`
  )
}

/** A field that is no whole number is NaN: it stands in no table. */
function numbers({ fields }: TiffDirectory, tag: number, absent: readonly number[]): readonly number[] {
  const found = fields.get(tag)
  return found === null ? [NaN] : (found ?? absent)
}

function first(directory: TiffDirectory, tag: number, absent: number): number {
  return numbers(directory, tag, [absent])[0] ?? absent
}

/** Photometric interpretation, sample format, fill order, bits of each sample and the meaning of the extra ones. */
function arrangementOf(directory: TiffDirectory, photometric: number): string {
  // JPEG of the old kind is YCbCr whatever the field says.
  const isOldJpeg = compressionOf(directory) === 6
  const colours = isOldJpeg ? 6 : photometric
  const formats = numbers(directory, tiffTags.sampleFormat, [1])
  const format = formats.every((value) => value === formats[0]) ? formats.slice(0, 1) : formats
  let bits = numbers(directory, tiffTags.bitsPerSample, [1])
  let extra = numbers(directory, tiffTags.extraSamples, [])
  let samples = first(directory, tiffTags.samplesPerPixel, isOldJpeg ? 3 : 1)
  if (first(directory, tiffTags.planarConfiguration, 1) === 2 && extra.length > 0 && Math.max(...extra) === 0) {
    bits = bits.slice(0, -extra.length)
    samples -= extra.length
    extra = []
  }
  if (bits.length > samples) bits = bits.slice(0, samples)
  else if (bits.length === 1 && samples <= mostSamples) bits = Array.from({ length: samples }, () => bits[0] ?? NaN)
  if (bits.length !== samples) return ''
  return [colours, format.join(), first(directory, tiffTags.fillOrder, 1), bits.join(), extra.join()].join(' ')
}

const mostSamples = 6

/** Of both byte orders. Each row: photometric, formats, fill orders, bits (times samples), extra samples. */
const common: readonly (readonly [string, string, string, string, string])[] = [
  ['0|1|3', '1', '1|2', '1|2|4|8', ''],
  ['0|1', '3', '1', '32', ''],
  ['1', '2', '1', '8|16|32', ''],
  ['1', '1', '1', '16', ''],
  ['1', '1', '1', '8,8', '2'],
  ['2', '1', '1|2', '8,8,8', ''],
  ['2', '1', '1', '8,8,8,8', '|0|1|2|999'],
  ['2', '1', '1', '8,8,8,8,8', '0,0|1,0|2,0'],
  ['2', '1', '1', '8,8,8,8,8,8', '0,0,0|1,0,0|2,0,0'],
  ['2', '1', '1', '16,16,16', ''],
  ['2', '1', '1', '16,16,16,16', '|0|1|2'],
  ['3', '1', '1', '8,8', '0|2'],
  ['5', '1', '1', '8,8,8,8|16,16,16,16', ''],
  ['5', '1', '1', '8,8,8,8,8', '0'],
  ['5', '1', '1', '8,8,8,8,8,8', '0,0'],
  ['6', '1', '1', '8|8,8,8', ''],
]
/** Of little-endian files alone. */
const littleOnly: typeof common = [
  ['0', '1', '1', '16', ''],
  ['1', '1', '1', '12|32', ''],
  ['1', '1', '2', '16', ''],
]

function allOf(rows: typeof common): ReadonlySet<string> {
  const made = rows.map((row) =>
    row.reduce<string[]>(
      (starts, field) => starts.flatMap((start) => field.split('|').map((value) => `${start}${value} `)),
      [''],
    ),
  )
  return new Set(made.flat().map((row) => row.slice(0, -1)))
}

const littleEndian = allOf([...common, ...littleOnly])
const bigEndian = allOf(common)
