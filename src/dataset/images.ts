import { z } from 'zod'
import type { ListOptions, Store } from '../storage/store.ts'
import type { Adapter, Sample, Truth } from './adapter.ts'
import { applyExifOrientation, defineAdapter, type CommonSettings } from './adapterDefinition.ts'
import { leftOutReason, type LeftOutListener } from './leftOut.ts'
import { angleOrder, filenameAngles, filenameAnglesFlag } from './posedName.ts'

const imageSuffix = /\.(jpe?g|jpe|jfif|jfi|jif|png|webp|tiff?|gif|bmp|avif)$/i

/**
 * Every object of the dataset, at any depth, whose name ends like an image, in order of the UTF-8 bytes of its key;
 * suffixes in any case. Keys with a hidden part (`.thumbnails/a.jpg`, `._a.jpg`) are passed over. What the bytes really
 * are is found out by whoever decodes them: a BMP is listed and becomes a failed record that names its format, since an
 * image that is silently missing is worse. `leftOut` hears of others that may be images.
 */
async function* imageSamples(
  dataset: Store,
  after: string | undefined,
  glob: string | undefined,
  leftOut: LeftOutListener | undefined,
): AsyncIterable<Sample> {
  const wanted = glob === undefined ? () => true : await matcher(glob)
  const isWanted = (key: string) => isImageKey(key) && wanted(key)
  for await (const object of dataset.list(listingOf(after, leftOut, isWanted))) {
    if (isWanted(object.key)) yield { ...object, companions: [] }
    else if (wanted(object.key)) tellLeftOut(leftOut, object.key, object.etag)
  }
}

/** How a dataset is listed, so that nothing in it is missed without a word. */
export function listingOf(
  after: string | undefined,
  leftOut: LeftOutListener | undefined,
  isSample: (key: string) => boolean,
): ListOptions {
  return {
    ...(after === undefined ? {} : { after }),
    onUnnamed: (folder, keys) => {
      const images = keys.filter(isSample)
      if (images.length > 0 || keys.length === 0) leftOut?.unnamed(folder, images)
    },
  }
}

/** Tells of a file that is not taken for an image, where it may be one all the same. */
export function tellLeftOut(leftOut: LeftOutListener | undefined, key: string, etag: string): void {
  const reason = leftOutReason(key, etag)
  if (reason !== undefined) leftOut?.untaken(key, reason)
}

/** Whether a key is named like an image, and no part of it is hidden. */
export function isImageKey(key: string): boolean {
  return imageSuffix.test(key) && !key.startsWith('.') && !key.includes('/.')
}

/** What is known of an image that nothing is known of. */
export const noTruth: Truth = { pose: null, box: null, subject: null, sequence: null, frame: null }

/** The listing of every image, or of those whose whole key matches a glob (`*` ends at a slash, `**` does not). */
export function listImages(glob: string | undefined): Adapter['samples'] {
  return (dataset, after, leftOut) => imageSamples(dataset, after, glob, leftOut)
}

/** Every command knows the adapters' flags; only one that lists has a use for the package. */
async function matcher(glob: string): Promise<(key: string) => boolean> {
  const { default: picomatch } = await import('picomatch')
  return picomatch(glob)
}

/** The flags of layouts that are any images. */
export const imageFlags = {
  filenameAngles: filenameAnglesFlag,
  glob: z.string().min(1).optional().meta({
    group: 'data',
    placeholder: 'PATTERN',
    automatic: 'every image',
    description:
      'Adapters images and filename: take only images whose whole key, below the dataset, matches: `train/**/*.png`. `*` ends at a slash, `**` does not.',
  }),
}

/**
 * The options that they become. `images` has no use for the angles, but its result sets were named with them from the
 * first version on.
 */
export function imageOptions<Name extends string>(name: Name) {
  return z.strictObject({
    name: z.literal(name),
    filenameAngles,
    applyExifOrientation,
    /** Only keys that match are samples. Absent: all images. */
    glob: z.string().optional(),
  })
}

export function imageOptionsOf<Name extends string>(
  name: Name,
  settings: z.output<z.ZodObject<typeof imageFlags>> & CommonSettings,
) {
  return {
    name,
    filenameAngles: angleOrder(settings.filenameAngles),
    applyExifOrientation: settings.exifOrientation,
    ...(settings.glob === undefined ? {} : { glob: settings.glob }),
  }
}

/** What `describe` says of a glob. */
export function globText(glob: string | undefined): string[] {
  return glob === undefined ? [] : [`only ${glob}`]
}

/** Plain images: no pose, no box, all of each image seen. */
export const images = defineAdapter({
  name: 'images',
  summary: 'takes every image and knows no pose',
  flags: imageFlags,
  options: imageOptions('images'),
  optionsOf: (settings) => imageOptionsOf('images', settings),
  open: ({ glob }) => ({ name: 'images', glob, samples: listImages(glob), read: async () => noTruth }),
  describe: ({ glob }) => globText(glob),
})
