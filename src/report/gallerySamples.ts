import { Semaphore } from '../base/semaphore.ts'
import { imageKeyOf } from '../dataset/adapter.ts'
import { openAdapter } from '../dataset/adapters.ts'
import { layout } from '../output/layout.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { beyondLabelLimit } from '../output/rowErrors.ts'
import type { DrawnSample, DrawnThumbnail } from './fitGallery.ts'
import type { KeptPictures } from './keptPictures.ts'
import { mapBounded } from './mapBounded.ts'
import type { GallerySample } from './pageContent.ts'
import type { FoundPicture, PictureStore } from './pictureStore.ts'
import type { ChosenSample, ReportRow } from './selection.ts'
import { drawThumbnail, type ThumbnailLayout } from './thumbnail.ts'

/** Samples whose pictures are looked for and fetched at the same time: in S3 each of these is a round trip. */
const fetchedAtOnce = 16
/** Samples that are decoded and drawn at the same time; Node.js has four threads for it, and each may be 300 MB. */
const drawnAtOnce = 4
/** The encoded pictures of a sample that are together larger are fetched only when they can be drawn at once, too. */
const fetchedAheadBytes = 8 << 20

export interface GalleryOptions {
  readonly set: ResultSet
  readonly objectives: readonly string[]
  readonly images: PictureStore
  readonly maps: PictureStore
  readonly layout: ThumbnailLayout
  readonly kept: KeptPictures
  /** Told after each sample how many are done. */
  readonly onDone: (done: number) => void
}

/** The chosen samples with their thumbnails, in their order, and how many of these had to be drawn. */
export async function gallerySamples(
  chosen: readonly ChosenSample[],
  options: GalleryOptions,
): Promise<{ readonly samples: DrawnSample[]; readonly drawn: number }> {
  const painter = new Painter(options)
  let done = 0
  const samples = await mapBounded(chosen, fetchedAtOnce, async (sample) => {
    const drawn = await painter.sample(sample)
    options.onDone(++done)
    return drawn
  })
  return { samples, drawn: painter.drawn }
}

/** A sample's image first, then its map of each objective; null where one is gone. */
type Sources<T> = readonly (T | null)[]

class Painter {
  readonly #options: GalleryOptions
  readonly #imageKey: (sampleKey: string) => string
  readonly #drawing = new Semaphore(drawnAtOnce)
  #drawn = 0

  constructor(options: GalleryOptions) {
    this.#options = options
    const reader = openAdapter(options.set.options.adapter)
    this.#imageKey = (sampleKey) => imageKeyOf(reader, sampleKey)
  }

  /** How many thumbnails were not among those kept. */
  get drawn(): number {
    return this.#drawn
  }

  async sample({ row, meanError, worst, spaced, order }: ChosenSample): Promise<DrawnSample> {
    const { thumbnail, notes } = await this.#thumbnail(row)
    return {
      key: row.key,
      order,
      estimate: [row.yaw, row.pitch, row.roll],
      label: [row.labelYaw, row.labelPitch, row.labelRoll],
      error: [row.errorYaw, row.errorPitch, row.errorRoll],
      top: topClass(row),
      mean: meanError,
      worst,
      spaced,
      thumbnail,
      notes: [
        // In tables with an objective class:label.
        ...(typeof row.class === 'number' ? [`labelled class ${row.class}`] : []),
        ...notes,
        ...(beyondLabelLimit(row) ? ['beyond ±99°, not counted'] : []),
        ...(row.message === null ? [] : [`label cannot be used: ${row.message}`]),
      ],
    }
  }

  /** What is kept by the name that the present objects give; else drawn, and kept by the name of those it was drawn from. */
  async #thumbnail(row: ReportRow): Promise<{ thumbnail: DrawnThumbnail; notes: readonly string[] }> {
    const { kept } = this.#options
    const found = await this.#find(row.key)
    const name = this.#nameOf(row, found)
    const picture = name === undefined ? undefined : kept.get(name)
    if (picture !== undefined) return { thumbnail: { picture, name }, notes: [] }
    const sizeBytes = found.reduce((sum, source) => sum + (source?.sizeBytes ?? 0), 0)
    const ahead = sizeBytes > fetchedAheadBytes ? undefined : await getAll(found)
    return this.#drawing.use(1, async () => this.#draw(row, ahead ?? (await getAll(found))))
  }

  async #draw(row: ReportRow, sources: Awaited<ReturnType<typeof getAll>>) {
    const { set, layout: drawn, kept } = this.#options
    const [image = null, ...maps] = await Promise.all(sources.map(async (source) => (await source?.decode()) ?? null))
    const { picture, isWhole } = await drawThumbnail({ image, crop: cropOf(row), maps }, drawn, set.options.style)
    this.#drawn++
    const name = isWhole ? this.#nameOf(row, sources) : undefined
    if (name !== undefined) kept.keep(name, picture)
    const notes = [
      ...(image === null ? ['image cannot be read now'] : []),
      ...(maps.includes(null) ? ['map cannot be read now'] : []),
    ]
    return { thumbnail: { picture, name }, notes }
  }

  async #find(key: string): Promise<Sources<FoundPicture>> {
    const { set, objectives, images, maps } = this.#options
    const { maxPixels, adapter } = set.options
    const { applyExifOrientation } = adapter
    return Promise.all([
      images.find(this.#imageKey(key), { maxPixels, applyExifOrientation }),
      ...objectives.map((objective) =>
        maps.find(`${set.id}/${layout.map(objective, key)}`, { maxPixels, applyExifOrientation: false }),
      ),
    ])
  }

  /** Undefined where something is lacking: that is drawn, and never kept. */
  #nameOf(row: ReportRow, sources: Sources<{ readonly etag: string }>): string | undefined {
    const { kept, objectives, layout: drawn } = this.#options
    const etags = sources.map((source) => source?.etag ?? '')
    if (etags.includes('')) return undefined
    return kept.nameOf('thumbnail', row.key, etags, cropOf(row), objectives, drawn)
  }
}

async function getAll(found: Sources<FoundPicture>) {
  return Promise.all(found.map(async (source) => (await source?.get()) ?? null))
}

function cropOf({ cropX0: x0, cropY0: y0, cropX1: x1, cropY1: y1 }: ReportRow) {
  return x0 === null || y0 === null || x1 === null || y1 === null ? null : { x0, y0, x1, y1 }
}

function topClass({ topClass: index, topClassProbability: probability }: ReportRow): GallerySample['top'] {
  return typeof index === 'number' && typeof probability === 'number' ? { class: index, probability } : null
}
