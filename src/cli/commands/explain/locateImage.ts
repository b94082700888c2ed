import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { InputError, SampleError } from '../../../base/errors.ts'
import { readLocalFile } from '../../../base/localFile.ts'
import { imageKeyOf, type Sample, type Truth } from '../../../dataset/adapter.ts'
import { describeAdapter, openAdapter, type AdapterOptions } from '../../../dataset/adapters.ts'
import { noTruth } from '../../../dataset/images.ts'
import { angleOrder, poseInName } from '../../../dataset/posedName.ts'
import { readTruth } from '../../../dataset/unusableLabel.ts'
import { requireEncodedSize } from '../../../image/encodedSize.ts'
import { pathOfFileUri } from '../../../storage/fileUri.ts'
import { place } from '../../../storage/place.ts'
import type { Store } from '../../../storage/store.ts'
import { wrapped } from '../../../storage/wrapped.ts'
import { adapterOptions } from '../../settings/adapterSettings.ts'
import type { Settings } from '../../settings/optionSchema.ts'

export interface ReadImage {
  readonly bytes: Uint8Array
  readonly truth: Truth
  /** Why the label cannot be used, where it cannot. */
  readonly labelFault?: string
}

/** The image that a call names, not read yet. */
export interface LocatedImage {
  /** Null when it lies in a store. */
  readonly path: string | null
  /** What stands behind the image's key in that of a face, which no file system minds; else empty. */
  readonly face: string
  /** How it is read, as `set.json` would hold it. */
  readonly adapter: AdapterOptions
  /** Where label and box are from, for people. */
  readonly source: string
  read(): Promise<ReadImage>
  close(): void
}

/**
 * Finds the image: a path or URI, or a key of `--dataset`. With an adapter that knows more of an image than its name, the
 * image is a sample of a dataset, so that it is seen as a run sees it; without `--dataset` that begins two folders up,
 * where everything lies that the layouts have beside an image.
 */
export async function locateImage(image: string, settings: Settings): Promise<LocatedImage> {
  const options = adapterOptions(settings)
  const { dataset, glob } = settings
  const knowsNames = options.name === 'images' || options.name === 'filename'
  if (knowsNames && glob === undefined && !(dataset !== undefined && isKey(image) && !existsSync(image))) {
    return plainImage(image, options, settings)
  }
  const { openStore } = await import('../../../storage/open.ts')
  const open = (uri: string) => openStore(uri, { endpoint: settings.s3Endpoint })
  if (dataset === undefined) {
    refuseWithoutDataset(options, glob)
    const { uri, key } = twoFoldersUp(image)
    return sampleImage(image, open(uri), key, options, settings)
  }
  const store = open(dataset)
  try {
    return sampleImage(image, store, await keyOf(image, store, options), options, settings)
  } catch (error) {
    store.close()
    throw error
  }
}

function plainImage(image: string, options: AdapterOptions, settings: Settings): LocatedImage {
  const isRemote = isInStore(image)
  const pose = poseInName(image, angleOrder(settings.filenameAngles))
  return {
    path: isRemote ? null : localPath(image),
    face: '',
    adapter: options,
    source: `the file name, read as ${settings.filenameAngles}`,
    read: async () => ({
      bytes: isRemote ? await remoteBytes(image, settings) : await localBytes(image, settings),
      truth: { ...noTruth, pose },
    }),
    close: () => undefined,
  }
}

async function localBytes(image: string, settings: Settings): Promise<Uint8Array> {
  const path = localPath(image)
  // A file that cannot be looked at is told of by the reading.
  const found = await stat(path).catch(() => undefined)
  if (found) refuseHuge(image, found.size, settings)
  return readLocalFile(path, 'image')
}

async function remoteBytes(image: string, settings: Settings): Promise<Uint8Array> {
  const slash = image.lastIndexOf('/') + 1
  const key = image.slice(slash)
  if (key === '') throw new InputError('bad-uri', `${image} names a folder; explain takes one image`)
  const { openStore } = await import('../../../storage/open.ts')
  const store = openStore(image.slice(0, slash), { endpoint: settings.s3Endpoint })
  try {
    const listed = await store.head(key)
    if (listed) refuseHuge(image, listed.sizeBytes, settings)
    return (await store.get(key))?.bytes ?? (await refuseMissing(image, store))
  } finally {
    store.close()
  }
}

function sampleImage(
  image: string,
  store: Store,
  key: string,
  options: AdapterOptions,
  settings: Settings,
): LocatedImage {
  const imageKey = imageKeyOf(openAdapter(options), key)
  return {
    path: store.uri.startsWith('file:') ? resolve(pathOfFileUri(store.uri), imageKey) : null,
    face: key.slice(imageKey.length),
    adapter: options,
    source: describeAdapter(options),
    read: async () => {
      try {
        const adapter = openAdapter(options)
        const sample = await sampleOf(image, store, key, options)
        requireEncodedSize(sample.sizeBytes, settings.maxPixels)
        const [found, known] = await Promise.all([store.get(imageKey), readTruth(adapter, store, sample)])
        return { bytes: found?.bytes ?? (await refuseMissing(image, store)), ...known }
      } catch (error) {
        throw asInputError(image, error)
      }
    },
    close: () => store.close(),
  }
}

/** What the adapter makes of one key, without a listing of all: what lies beside an image is called like it. */
async function sampleOf(image: string, store: Store, key: string, options: AdapterOptions): Promise<Sample> {
  const adapter = openAdapter(options)
  const imageKey = imageKeyOf(adapter, key)
  const prefix = imageKey.replace(/\.[^./]*$/, '.')
  const near = wrapped(store, { list: (listing) => store.list({ ...listing, prefix }) })
  const faces: string[] = []
  for await (const sample of adapter.samples(near)) {
    if (sample.key === key) return sample.etag === '' ? await refuseMissing(image, store) : sample
    if (imageKeyOf(adapter, sample.key) === imageKey) faces.push(sample.key)
  }
  if ((await store.head(imageKey)) === undefined) return await refuseMissing(image, store, faceHint(image, options))
  const whose = `${place(store.uri)}${key} is no image of ${describeAdapter(options)}`
  const named = faces.length === 0 ? '' : `; name one of its faces: ${faces.join(', ')}`
  throw new InputError('bad-option', `${whose}${named}`)
}

/** The key of an image below the dataset; a plain name may be a path from here as well. */
async function keyOf(image: string, store: Store, options: AdapterOptions): Promise<string> {
  if (isKey(image) && (await store.head(imageKeyOf(openAdapter(options), image))) !== undefined) return image
  const below = isInStore(image) ? image : localPath(image)
  if (store.uri.startsWith('file:')) {
    const key = relative(pathOfFileUri(store.uri), resolve(below)).split(sep).join('/')
    if (!isInStore(image) && key !== '' && key !== '..' && !key.startsWith('../')) return key
  } else if (isInStore(image) && image.startsWith(store.uri)) return image.slice(store.uri.length)
  // Whether there is such a dataset at all comes first.
  await store.check('read')
  const whose = `${image} is no key of ${place(store.uri)} and does not lie below it`
  throw new InputError('bad-option', `${whose}${faceHint(image, options)}`)
}

function refuseWithoutDataset(options: AdapterOptions, glob: string | undefined): void {
  const names =
    glob !== undefined
      ? '--glob'
      : 'index' in options
        ? '--index'
        : 'boxes' in options && options.boxes
          ? '--boxes'
          : undefined
  if (names === undefined) return
  throw new InputError(
    'bad-option',
    `${names} speaks of keys in a dataset; add --dataset URI and name the image by its key`,
  )
}

function twoFoldersUp(image: string): { uri: string; key: string } {
  const isRemote = isInStore(image)
  const whole = isRemote ? image : resolve(localPath(image)).split(sep).join('/')
  const parts = whole.split('/')
  // Of an S3 URI the bucket stays: `s3:`, nothing, and its name.
  const base = Math.max(isRemote ? 3 : 1, parts.length - 2)
  const key = parts.slice(base).join('/')
  if (key === '') throw new InputError('bad-uri', `${image} names a folder; explain takes one image`)
  return { uri: `${parts.slice(0, base).join('/')}/`, key }
}

async function refuseMissing(image: string, store: Store, hint = ''): Promise<never> {
  // Tells a missing bucket from a missing object.
  await store.check('read')
  throw new InputError('bad-option', `the image ${image} does not exist${hint}`)
}

/** For whoever takes a face's key from a table without the column that the run was given. */
function faceHint(image: string, options: AdapterOptions): string {
  if (!image.includes('#') || ('columns' in options && options.columns.face !== undefined)) return ''
  return '; if it is the key of a face, add --adapter csv, --index FILE and --columns face=COLUMN as the run has them'
}

export function isInStore(image: string): boolean {
  return /^s3:/i.test(image)
}

function isKey(image: string): boolean {
  return !isInStore(image) && !/^file:/i.test(image) && !isAbsolute(image) && !/^\.\.?\//.test(image)
}

export function localPath(image: string): string {
  return /^file:/i.test(image) ? pathOfFileUri(image) : image
}

function refuseHuge(image: string, sizeBytes: number, { maxPixels }: Settings): void {
  try {
    requireEncodedSize(sizeBytes, maxPixels)
  } catch (error) {
    throw asInputError(image, error)
  }
}

/** A bad image is one failed record of a run, but here it is all that was asked for: the input's fault. */
export function asInputError(image: string, error: unknown): unknown {
  return error instanceof SampleError
    ? new InputError(error.code, `${image}: ${error.message}`, { cause: error })
    : error
}
