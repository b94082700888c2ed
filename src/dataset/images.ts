import picomatch from 'picomatch'
import type { Store } from '../storage/store.ts'
import type { Adapter, Sample, Truth } from './adapter.ts'

const imageSuffix = /\.(jpe?g|png|webp|tiff?|gif|bmp|avif)$/i

/**
 * Every object of the dataset, at any depth, whose name ends like an image, in order of the UTF-8 bytes of its key;
 * suffixes in any case. Keys with a hidden part (`.thumbnails/a.jpg`, `._a.jpg`) are passed over. What the bytes really
 * are is found out by whoever decodes them: a BMP is listed and becomes a failed record that names its format, since an
 * image that is silently missing is worse.
 */
async function* imageSamples(
  dataset: Store,
  after: string | undefined,
  wanted: (key: string) => boolean,
): AsyncIterable<Sample> {
  for await (const { key, etag, sizeBytes } of dataset.list(after === undefined ? {} : { after })) {
    if (isImageKey(key) && wanted(key)) yield { key, etag, sizeBytes, companions: [] }
  }
}

/** Whether a key is named like an image, and no part of it is hidden. */
export function isImageKey(key: string): boolean {
  return imageSuffix.test(key) && !key.startsWith('.') && !key.includes('/.')
}

/** What is known of an image that nothing is known of. */
export const noTruth: Truth = { pose: null, box: null, subject: null, sequence: null, frame: null }

/** The listing of every image, or of those whose whole key matches a glob (`*` ends at a slash, `**` does not). */
export function listImages(glob: string | undefined): Adapter['samples'] {
  const wanted = glob === undefined ? () => true : picomatch(glob)
  return (dataset, after) => imageSamples(dataset, after, wanted)
}

/** Plain images: no pose, no box, all of each image seen. */
export function imagesAdapter(glob?: string): Adapter {
  return { name: 'images', glob, samples: listImages(glob), read: async () => noTruth }
}
