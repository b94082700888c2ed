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

/** Longer side of the whole image, pixels: what a page shows. */
const imageSide = 1_024
const photographQuality = 82

export interface PictureOrder {
  readonly output: Store
  readonly dataset: Store
  readonly set: ResultSet
  readonly key: string
  readonly row: Omit<DrawnRow, 'row'>
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
  readonly #places: Semaphore
  readonly #memory: Semaphore

  /**
   * @param limits.atOnce pictures that are fetched, decoded and drawn at the same time; the others wait
   * @param limits.decodingBytes what decoding may take at the same time; a larger image is decoded alone
   */
  constructor({ atOnce = 4, decodingBytes = 500 * 2 ** 20 } = {}) {
    this.#places = new Semaphore(atOnce)
    this.#memory = new Semaphore(decodingBytes)
  }

  /**
   * Raises SampleError where image or map are gone, unreadable or too large, what the stores raise, and the signal's
   * reason.
   */
  async draw(order: PictureOrder): Promise<Picture> {
    return this.#places.use(1, async () => {
      // It may have waited a while, and the reader scrolled on.
      order.signal.throwIfAborted()
      const [imageBytes, mapBytes] = await Promise.all([
        order.kind === 'map' ? null : fetchImage(order),
        order.kind === 'image' || order.kind === 'input' ? null : fetchMap(order),
      ])
      const map = mapBytes === null ? null : await this.#decodedMap(mapBytes, order)
      if (imageBytes === null) return drawn(order, null, map)
      return this.#withImage(imageBytes, order, (image) => drawn(order, image, map))
    })
  }

  /**
   * Gives back its memory before the image takes its own: two orders that each hold some and wait for more would wait for
   * each other, and a large image, which is decoded alone, for its own map. What the decoded map holds is little.
   */
  async #decodedMap(bytes: Uint8Array, { set }: PictureOrder): Promise<DecodedImage> {
    const decode = (onHeader: (bytes: number) => Promise<void>) =>
      decodeImage(bytes, { maxPixels: set.options.maxPixels, applyExifOrientation: false, onHeader })
    return this.#counted(decode, async (map) => map)
  }

  async #withImage(
    bytes: Uint8Array,
    { set }: PictureOrder,
    draw: (image: DecodedImage) => Promise<Picture>,
  ): Promise<Picture> {
    const { maxPixels, adapter } = set.options
    const { applyExifOrientation } = adapter
    return this.#counted((onHeader) => decodeImage(bytes, { maxPixels, applyExifOrientation, onHeader }), draw)
  }

  /** Decodes once there is memory for it, which is given back after `use`. */
  async #counted<T>(
    decode: (onHeader: (bytes: number) => Promise<void>) => Promise<DecodedImage>,
    use: (image: DecodedImage) => Promise<T>,
  ): Promise<T> {
    let leave: (() => void) | undefined
    try {
      return await use(await decode(async (bytes) => void (leave = await this.#memory.enter(bytes))))
    } finally {
      leave?.()
    }
  }
}

async function fetchImage({ dataset, set, key, signal }: PictureOrder): Promise<Uint8Array> {
  const imageKey = imageKeyOf(openAdapter(set.options.adapter), key)
  const listed = await dataset.head(imageKey)
  if (listed === undefined) throw new SampleError('vanished', `${imageKey} is no longer in the dataset`)
  requireEncodedSize(listed.sizeBytes, set.options.maxPixels)
  const object = await dataset.get(imageKey, { signal })
  if (object === undefined) throw new SampleError('vanished', `${imageKey} is no longer in the dataset`)
  return object.bytes
}

/** Of the state of the result set: whoever asks for an earlier run's has made sure that it still stands. */
async function fetchMap({ output, set, key, row, objective, signal }: PictureOrder): Promise<Uint8Array> {
  if (row.status === 'failed') throw new SampleError('vanished', 'the image failed, so it has no map')
  const object = await output.get(`${set.id}/${layout.map(objective, key)}`, { signal })
  if (object === undefined) throw new SampleError('vanished', 'its map is no longer in the output')
  return object.bytes
}

/** Of what the kind needs nothing is null. */
async function drawn(order: PictureOrder, image: DecodedImage | null, map: DecodedImage | null): Promise<Picture> {
  const { set, row, kind } = order
  const { style } = set.options
  if (kind === 'card') {
    const { width, height } = inputSize(set)
    const sources = { image, crop: row.crop, maps: [map] }
    const { picture: bytes } = await drawThumbnail(sources, thumbnailLayout(1, height / width), style)
    return { bytes, contentType: 'image/webp' }
  }
  if (image === null) {
    if (map === null) throw new Error(`a picture of kind ${kind} shows neither image nor map`)
    return png(map)
  }
  if (kind === 'image') return webp(image, imageSide)
  const input = inputOf(image, order)
  if (map === null) return webp(input)
  return webp({ ...input, pixels: drawOverlay(input.pixels, magnitudeOfMap(map, style), input.width, input.height) })
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
