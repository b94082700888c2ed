import { SampleError } from '../base/errors.ts'

/** An object below this is read whatever the pixel limit says: metadata and other frames may well take as much. */
const smallestLimitBytes = 256 * 2 ** 20
/** Above this no object is read, however high the pixel limit: one buffer must hold it, in each unit. */
const largestLimitBytes = 2 * 2 ** 30
/** Four 16-bit channels, uncompressed. */
const bytesPerPixel = 8

/**
 * Refuses an object that cannot be an image of at most `maxPixels` pixels, by the size that its listing tells: reading it
 * to find out would take as much memory. Raises SampleError `too-many-bytes`.
 */
export function requireEncodedSize(sizeBytes: number, maxPixels: number): void {
  const limit = Math.min(Math.max(smallestLimitBytes, bytesPerPixel * maxPixels), largestLimitBytes)
  if (sizeBytes <= limit) return
  throw new SampleError(
    'too-many-bytes',
    `the file has ${sizeBytes} bytes, over the limit of ${limit}; store it as a smaller image`,
  )
}
