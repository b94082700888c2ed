import sharp from 'sharp'
import { SampleError } from '../base/errors.ts'
import type { Box } from '../dataset/adapter.ts'
import type { DecodedImage } from '../image/codec.ts'
import { cropToInput } from '../image/crop.ts'
import { drawOverlay } from '../image/overlay.ts'
import type { MapStyle } from '../saliency/choices.ts'
import { magnitudeOfMap } from './mapMagnitude.ts'

/**
 * Where the pictures of one sample lie in its thumbnail. With one objective: image, map, overlay in a row. With
 * several: the image at double size, then one column per objective with its map above its overlay.
 */
export interface ThumbnailLayout {
  readonly width: number
  readonly height: number
  readonly image: Tile
  readonly objectives: readonly { readonly map: Tile; readonly overlay: Tile }[]
}

interface Tile {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** What a thumbnail is drawn from; what is null becomes a placeholder. */
export interface ThumbnailSources {
  readonly image: DecodedImage | null
  /** The rectangle of the image that the network's input shows. */
  readonly crop: Box | null
  /** By objective, in the order of the layout. */
  readonly maps: readonly (DecodedImage | null)[]
}

/**
 * Goes up with every change after which the same sources give another picture, here, in what is called from here, or where
 * `fitGallery.ts` encodes: reports show what an earlier one has drawn at this version (see `keptPictures.ts`).
 */
export const drawingVersion = 1

export interface Thumbnail {
  /** WebP, with transparent gaps. */
  readonly picture: Uint8Array
  /** Whether no placeholder is in it. */
  readonly isWhole: boolean
}

const gap = 3
const singleSide = 144
const columnSide = 88
const quality = 68

/** `aspect` is the height of the network's input over its width. */
export function thumbnailLayout(objectives: number, aspect: number): ThumbnailLayout {
  const side = objectives === 1 ? singleSide : columnSide
  const [width, height] = [side, Math.max(1, Math.round(side * aspect))]
  if (objectives === 1) {
    const tile = (column: number): Tile => ({ x: column * (width + gap), y: 0, width, height })
    return { width: 3 * width + 2 * gap, height, image: tile(0), objectives: [{ map: tile(1), overlay: tile(2) }] }
  }
  const image = { x: 0, y: 0, width: 2 * width + gap, height: 2 * height + gap }
  const tile = (column: number, row: number): Tile => {
    return { x: image.width + gap + column * (width + gap), y: row * (height + gap), width, height }
  }
  return {
    width: image.width + objectives * (width + gap),
    height: image.height,
    image,
    objectives: Array.from({ length: objectives }, (_, i) => ({ map: tile(i, 0), overlay: tile(i, 1) })),
  }
}

/** One picture of a sample. */
export async function drawThumbnail(
  sources: ThumbnailSources,
  layout: ThumbnailLayout,
  style: MapStyle,
): Promise<Thumbnail> {
  const canvas = new Canvas(layout.width, layout.height)
  const { image, crop } = sources
  const shown = image === null ? null : shownPart(image, crop, layout.image)
  canvas.place(shown, layout.image)
  for (const [i, tiles] of layout.objectives.entries()) {
    const map = sources.maps[i] ?? null
    canvas.place(map === null ? null : await shrunk(map, tiles.map), tiles.map)
    const { width, height } = tiles.overlay
    const isAsLarge = width === layout.image.width && height === layout.image.height
    const beneath = image === null || isAsLarge ? shown : shownPart(image, crop, tiles.overlay)
    const overlay =
      map === null || beneath === null ? null : drawOverlay(beneath, magnitudeOfMap(map, style), width, height)
    canvas.place(overlay, tiles.overlay)
  }
  return { picture: await canvas.toWebp(), isWhole: canvas.isWhole }
}

/** The part of the image that the network saw, stretched to the tile as it was to the network's input. */
function shownPart(image: DecodedImage, crop: Box | null, tile: Tile): Uint8Array | null {
  try {
    return cropToInput(image, crop, { width: tile.width, height: tile.height, resize: 'stretch' }).pixels
  } catch (error) {
    // The object is no longer the one that the rectangle was measured on.
    if (error instanceof SampleError) return null
    throw error
  }
}

async function shrunk(map: DecodedImage, tile: Tile): Promise<Uint8Array> {
  return await sharp(map.pixels, { raw: { width: map.width, height: map.height, channels: 3 } })
    .resize(tile.width, tile.height, { fit: 'fill' })
    .raw()
    .toBuffer()
}

class Canvas {
  readonly #width: number
  readonly #height: number
  readonly #pixels: Uint8Array
  #isWhole = true

  constructor(width: number, height: number) {
    this.#width = width
    this.#height = height
    this.#pixels = new Uint8Array(width * height * 4)
  }

  /** Whether no placeholder has been placed. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** RGB pixels of the tile's size, or null for a placeholder: a faint field with a cross. */
  place(rgb: Uint8Array | null, tile: Tile): void {
    if (rgb === null) this.#isWhole = false
    for (let y = 0; y < tile.height; y++) {
      // One number after the other: small views cost more than all else of a thumbnail.
      let at = ((tile.y + y) * this.#width + tile.x) * 4
      let from = y * tile.width * 3
      for (let x = 0; x < tile.width; x++, at += 4, from += 3) {
        this.#pixels[at] = rgb?.[from] ?? 128
        this.#pixels[at + 1] = rgb?.[from + 1] ?? 128
        this.#pixels[at + 2] = rgb?.[from + 2] ?? 128
        this.#pixels[at + 3] = rgb === null ? (onCross(x, y, tile) ? 140 : 50) : 255
      }
    }
  }

  async toWebp(): Promise<Uint8Array> {
    const raw = { width: this.#width, height: this.#height, channels: 4 } as const
    return await sharp(this.#pixels, { raw }).webp({ quality }).toBuffer()
  }
}

function onCross(x: number, y: number, tile: Tile): boolean {
  const [across, down] = [x / (tile.width - 1), y / (tile.height - 1)]
  return Math.abs(across - down) < 0.012 || Math.abs(across + down - 1) < 0.012
}
