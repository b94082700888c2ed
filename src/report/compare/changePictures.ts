import type { Logger } from '../../base/telemetry.ts'
import { imageKeyOf, type Adapter } from '../../dataset/adapter.ts'
import { openAdapter } from '../../dataset/adapters.ts'
import { layout } from '../../output/layout.ts'
import { descriptionSchema } from '../../saliency/networks/description.ts'
import type { Store } from '../../storage/store.ts'
import { inputAspect } from '../inputAspect.ts'
import { mapBounded } from '../mapBounded.ts'
import { PictureStore } from '../pictureStore.ts'
import { drawThumbnail, thumbnailLayout, type ThumbnailLayout } from '../thumbnail.ts'
import type { ComparedRow } from './comparedRow.ts'
import type { ComparedTable } from './comparedTable.ts'
import { fateTexts } from './fateTexts.ts'
import type { ChangedImage } from './largestChanges.ts'
import { commonObjectives } from './mapComparison.ts'
import { mapFates, type MapFate } from './standingMaps.ts'

/** With more the cards would be wider than a page. */
const shownObjectives = 2
/** Images whose pictures are fetched, decoded and drawn at the same time. */
const concurrency = 4

/** What one table shows of an image. */
export interface SidePicture {
  /** Data URI: the part that the network saw, and per objective its map and overlay. */
  readonly picture: string
  readonly width: number
  readonly height: number
  /** What a reader should know of it, e.g. that its map was overwritten. */
  readonly notes: readonly string[]
}

/** Both tables' pictures of one of the images that changed most. */
export interface ChangePictures {
  readonly a: SidePicture
  readonly b: SidePicture
}

interface PictureOptions {
  readonly a: ComparedTable
  readonly b: ComparedTable
  /** The datasets of both; one store where they are one. */
  readonly datasets: { readonly a: Store; readonly b: Store }
  readonly largest: readonly ChangedImage[]
  /** Rejects with its reason. */
  readonly signal: AbortSignal
  readonly log: Logger
}

/** The objectives that pictures of either table show: those that both have, else its own first ones. */
export function picturedObjectives(a: ComparedTable, b: ComparedTable): { a: readonly string[]; b: readonly string[] } {
  const common = commonObjectives(a, b)
  const shown = (own: readonly string[]) => (common.length > 0 ? common : own).slice(0, shownObjectives)
  return { a: shown(a.set.options.objectives), b: shown(b.set.options.objectives) }
}

/**
 * Draws the images that changed most with the maps of both tables, in their order. What is gone, unreadable or no longer
 * the row's becomes a placeholder with a note. Raises what the outputs raise when a table is read.
 */
export async function changePictures(options: PictureOptions): Promise<ChangePictures[]> {
  const { a, b, datasets, largest, signal } = options
  const objectives = picturedObjectives(a, b)
  const fatesA = await mapFates(
    a,
    largest.map((image) => image.a),
    signal,
  )
  const fatesB = await mapFates(
    b,
    largest.map((image) => image.b),
    signal,
  )
  const artistA = new Artist(a, datasets.a, objectives.a, fatesA, options)
  const artistB = new Artist(b, datasets.b, objectives.b, fatesB, options)
  return mapBounded(largest, concurrency, async (image) => ({
    a: await artistA.draw(image.a),
    b: await artistB.draw(image.b),
  }))
}

/** Draws the pictures of one table. */
class Artist {
  readonly #table: ComparedTable
  readonly #reader: Adapter
  readonly #objectives: readonly string[]
  readonly #fates: ReadonlyMap<string, MapFate>
  readonly #images: PictureStore
  readonly #maps: PictureStore
  readonly #layout: ThumbnailLayout

  constructor(
    table: ComparedTable,
    dataset: Store,
    objectives: readonly string[],
    fates: ReadonlyMap<string, MapFate>,
    { signal, log }: Pick<PictureOptions, 'signal' | 'log'>,
  ) {
    this.#table = table
    this.#reader = openAdapter(table.set.options.adapter)
    this.#objectives = objectives
    this.#fates = fates
    this.#images = new PictureStore(dataset, signal, log)
    this.#maps = new PictureStore(table.output, signal, log)
    const description = descriptionSchema.safeParse(table.set.network.description).data
    this.#layout = thumbnailLayout(objectives.length, inputAspect(description))
  }

  async draw(row: ComparedRow): Promise<SidePicture> {
    const { set } = this.#table
    const { maxPixels, adapter, style } = set.options
    const fate = this.#fates.get(row.key) ?? 'unknown'
    const image = await this.#images.fetch(imageKeyOf(this.#reader, row.key), {
      maxPixels,
      applyExifOrientation: adapter.applyExifOrientation,
    })
    const maps = await Promise.all(
      this.#objectives.map(async (objective) => {
        const key = `${set.id}/${layout.map(objective, row.key)}`
        return fate === 'stands' ? this.#maps.fetch(key, { maxPixels, applyExifOrientation: false }) : null
      }),
    )
    const { cropX0: x0, cropY0: y0, cropX1: x1, cropY1: y1 } = row
    const crop = x0 === null || y0 === null || x1 === null || y1 === null ? null : { x0, y0, x1, y1 }
    const { picture } = await drawThumbnail({ image, crop, maps }, this.#layout, style)
    return {
      picture: `data:image/webp;base64,${Buffer.from(picture).toString('base64')}`,
      width: this.#layout.width,
      height: this.#layout.height,
      notes: [
        ...(image === null ? ['the image cannot be read now'] : []),
        ...(fate !== 'stands' ? [fateTexts[fate]] : maps.includes(null) ? ['its map cannot be read now'] : []),
      ],
    }
  }
}
