import type { Store } from '../storage/store.ts'
import type { Adapter, Sample, Truth } from './adapter.ts'

const imageSuffix = /\.(jpe?g|png|webp|tiff?|gif|bmp|avif)$/i

/**
 * Every object of the dataset, at any depth, whose name ends like an image, in order of the UTF-8 bytes of its key;
 * suffixes in any case. Keys with a hidden part (`.thumbnails/a.jpg`, `._a.jpg`) are passed over. What the bytes really
 * are is found out by whoever decodes them: a BMP is listed and becomes a failed record that names its format, since an
 * image that is silently missing is worse.
 */
export async function* imageSamples(dataset: Store, after?: string): AsyncIterable<Sample> {
  for await (const { key, etag, sizeBytes } of dataset.list(after === undefined ? {} : { after })) {
    if (!imageSuffix.test(key) || isHidden(key)) continue
    yield { key, etag, sizeBytes, companions: [] }
  }
}

function isHidden(key: string): boolean {
  return key.startsWith('.') || key.includes('/.')
}

/** What is known of an image that nothing is known of. */
export const noTruth: Truth = { pose: null, box: null, subject: null, sequence: null, frame: null }

/** Plain images: no pose, no box, all of each image seen. */
export function imagesAdapter(): Adapter {
  return { name: 'images', samples: imageSamples, read: async () => noTruth }
}
