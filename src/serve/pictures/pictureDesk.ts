import sharp from 'sharp'
import { SampleError } from '../../base/errors.ts'
import { Semaphore } from '../../base/semaphore.ts'
import { imageKeyOf } from '../../dataset/adapter.ts'
import { openAdapter } from '../../dataset/adapters.ts'
import { decodeImage, type DecodedImage } from '../../image/codec.ts'
import { cropToInput } from '../../image/crop.ts'
import { requireEncodedSize } from '../../image/encodedSize.ts'
import { drawOverlay } from '../../image/overlay.ts'
import { layout } from '../../output/layout.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import { magnitudeOfMap } from '../../report/mapMagnitude.ts'
import { drawThumbnail, thumbnailLayout } from '../../report/thumbnail.ts'
import type { Store } from '../../storage/store.ts'
import type { PictureKind } from '../addresses.ts'
import type { DrawnRow } from '../table/tableQueries.ts'
import { inputSize } from './inputSize.ts'

/** Pictures that are fetched, decoded and drawn at the same time; the others wait. */
const atOnce = 4
/** What decoding may take at the same time. A larger image is decoded alone. */
const decodingBytes = 500 * 2 ** 20
/** Longer side of the whole image, pixels: what a page shows. */
const imageSide = 1_024
const photographQuality = 82

export interface PictureOrder {
  readonly output: Store
  readonly dataset: Store
  readonly set: ResultSet
  readonly key: string
  readonly row: DrawnRow
  readonly kind: PictureKind
  readonly objective: string
  /** Aborted when nobody wants it any more. */
  readonly signal: AbortSignal
}

export interface Picture {
  readonly bytes: Uint8Array
  readonly contentType: 'image/webp' | 'image/png'
}

/** Draws pictures of samples. What the stores hold is always decoded and encoded anew, never handed on. */
export class PictureDesk {
  readonly #places = new Semaphore(atOnce)
  readonly #memory = new Semaphore(decodingBytes)

  /**
   * Raises SampleError where image or map are gone, unreadable or too large, what the stores raise, and the signal's
   * reason.
   */
  async draw(order: PictureOrder): Promise<Picture> {
    return this.#places.use(1, async () => {
      // It may have waited a while, and the reader scrolled on.
      order.signal.throwIfAborted()
      const leaving: (() => void)[] = []
      try {
        return await this.#drawn(order, async (bytes) => void leaving.push(await this.#memory.enter(bytes)))
      } finally {
        for (const leave of leaving) leave()
      }
    })
  }

  async #drawn(order: PictureOrder, onHeader: (bytes: number) => Promise<void>): Promise<Picture> {
    const { set, row, kind, objective } = order
    const { style } = set.options
    const image = () => fetchImage(order, onHeader)
    const map = () => fetchMap(order, onHeader)
    switch (kind) {
      case 'image':
        return webp(await image(), imageSide)
      case 'map':
        return png(await map())
      case 'input':
        return webp(inputOf(await image(), order))
      case 'overlay': {
        const [picture, drawn] = await both(image(), map())
        const input = inputOf(picture, order)
        const pixels = drawOverlay(input.pixels, magnitudeOfMap(drawn, style), input.width, input.height)
        return webp({ ...input, pixels })
      }
      case 'card': {
        const [picture, drawn] = await both(image(), map())
        const { width, height } = inputSize(set)
        const sources = { image: picture, crop: row.crop, maps: [drawn] }
        const bytes = await drawThumbnail(sources, thumbnailLayout([objective].length, height / width), style)
        return { bytes, contentType: 'image/webp' }
      }
    }
  }
}

async function fetchImage(order: PictureOrder, onHeader: (bytes: number) => Promise<void>): Promise<DecodedImage> {
  const { dataset, set, key, signal } = order
  const { maxPixels, adapter } = set.options
  const imageKey = imageKeyOf(openAdapter(adapter), key)
  const listed = await dataset.head(imageKey)
  if (listed === undefined) throw new SampleError('vanished', `${imageKey} is no longer in the dataset`)
  requireEncodedSize(listed.sizeBytes, maxPixels)
  const object = await dataset.get(imageKey, { signal })
  if (object === undefined) throw new SampleError('vanished', `${imageKey} is no longer in the dataset`)
  return decodeImage(object.bytes, { maxPixels, applyExifOrientation: adapter.applyExifOrientation, onHeader })
}

/** Of the state of the result set: whoever asks for an earlier run's has made sure that it still stands. */
async function fetchMap(order: PictureOrder, onHeader: (bytes: number) => Promise<void>): Promise<DecodedImage> {
  const { output, set, key, row, objective, signal } = order
  if (row.status === 'failed') throw new SampleError('vanished', 'the image failed, so it has no map')
  const mapKey = `${set.id}/${layout.map(objective, key)}`
  const object = await output.get(mapKey, { signal })
  if (object === undefined) throw new SampleError('vanished', 'its map is no longer in the output')
  return decodeImage(object.bytes, { maxPixels: set.options.maxPixels, applyExifOrientation: false, onHeader })
}

/** Waits for both even when one fails: what is still decoded holds memory that must be given back after it. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b])
  if (first.status === 'rejected') throw first.reason
  if (second.status === 'rejected') throw second.reason
  return [first.value, second.value]
}

/** What the network saw, at the size at which it saw it. */
function inputOf(image: DecodedImage, { set, row }: PictureOrder): DecodedImage {
  const size = inputSize(set)
  return { ...size, pixels: cropToInput(image, row.crop, { ...size, resize: 'stretch' }).pixels }
}

async function webp({ pixels, width, height }: DecodedImage, longest?: number): Promise<Picture> {
  const drawn = sharp(pixels, { raw: { width, height, channels: 3 } })
  if (longest !== undefined) drawn.resize(longest, longest, { fit: 'inside', withoutEnlargement: true })
  return { bytes: await drawn.webp({ quality: photographQuality }).toBuffer(), contentType: 'image/webp' }
}

/** Without loss: the map's own levels are what is to be seen. */
async function png({ pixels, width, height }: DecodedImage): Promise<Picture> {
  const bytes = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
  return { bytes, contentType: 'image/png' }
}
