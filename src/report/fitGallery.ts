import sharp from 'sharp'
import { jsonForScript } from './escaping.ts'
import type { KeptPictures } from './keptPictures.ts'
import { mapBounded } from './mapBounded.ts'
import type { GallerySample } from './pageContent.ts'

/** A sample of the gallery whose thumbnail is not yet fitted to the page. */
export type DrawnSample = Omit<GallerySample, 'picture'> & { readonly thumbnail: DrawnThumbnail }

export interface DrawnThumbnail {
  /** WebP. */
  readonly picture: Uint8Array
  /** What `KeptPictures` knows it by; absent where it is not to be kept. */
  readonly name?: string | undefined
}

/**
 * What the thumbnails may lose, best first: smaller ones look better than coarser ones from the third on. The number of
 * samples is promised, so it is none of these. Beside keys of a usual length even noise fits at the last.
 */
const sizes = [
  { scale: 1, quality: 56 },
  { scale: 1, quality: 45 },
  { scale: 0.8, quality: 52 },
  { scale: 0.8, quality: 40 },
  { scale: 0.65, quality: 40 },
  { scale: 0.5, quality: 35 },
  { scale: 0.4, quality: 20 },
] as const

/** Of the gallery's samples as JSON, bytes: with atlas, charts and tables the page stays below 3 MB. */
export const galleryBudget = 1_700_000

/** Characters of a note where the texts are long: the table has all of it. */
const shortNote = 120

const prefix = 'data:image/webp;base64,'

/** One of so many is tried before all are encoded anew. */
const triedOf = 8

/** Thumbnails that are encoded at the same time; Node.js has four threads for it. */
const encodedAtOnce = 4

export interface FittedGallery {
  readonly samples: readonly GallerySample[]
  /** Evenly spaced samples that found no room. */
  readonly leftOut: number
}

/**
 * The samples with their pictures, as drawn where all of them fit, else at the best size that does. Keys are up to 800 bytes
 * long, and up to six times that in a script: where the smallest pictures do not fit beside them, fewer of the evenly
 * spaced samples stay, evenly spaced again. The worst stay all.
 *
 * @param budget of the samples as the page holds them, bytes
 * @param kept where pictures of all sizes are looked up, and left for the next report
 */
export async function fitGallery(
  drawn: readonly DrawnSample[],
  budget: number,
  kept?: KeptPictures,
): Promise<FittedGallery> {
  const parts = drawn.map(({ thumbnail, ...sample }) => ({ thumbnail, sample: { ...sample, picture: prefix } }))
  const whole = parts.map(({ sample }) => sample)
  // A gallery is its pictures.
  const texts = length(whole) <= budget / 3 ? whole : whole.map(withShortNotes)
  const thumbnails = await fitThumbnails(
    parts.map(({ thumbnail }) => thumbnail),
    budget - length(texts),
    kept,
  )
  const samples = texts.map((sample, i) => ({
    ...sample,
    picture: `${prefix}${Buffer.from(thumbnails[i] ?? []).toString('base64')}`,
  }))
  const fitting = samplesWithin(samples, budget)
  return { samples: fitting, leftOut: samples.length - fitting.length }
}

function withShortNotes(sample: GallerySample): GallerySample {
  const notes = sample.notes.map((note) => (note.length > shortNote ? `${note.slice(0, shortNote - 1)}…` : note))
  return { ...sample, notes }
}

/** As many of the evenly spaced ones as fit beside the worst. */
function samplesWithin(samples: readonly GallerySample[], budget: number): readonly GallerySample[] {
  const sizes = new Map(samples.map((sample) => [sample, length(sample) + ','.length]))
  const fits = (some: readonly GallerySample[]) =>
    some.reduce((sum, sample) => sum + (sizes.get(sample) ?? 0), '[]'.length) <= budget
  if (fits(samples)) return samples
  const worst = samples.filter((sample) => sample.worst)
  const spaced = samples.filter((sample) => !sample.worst)
  for (let count = spaced.length - 1; count > 0; count--) {
    const kept = Array.from({ length: count }, (_, i) => spaced[Math.floor((i * spaced.length) / count)] ?? [])
    const some = [...worst, ...kept.flat()]
    if (fits(some)) return some
  }
  return worst
}

/** Bytes in the page, where every `<` is six. */
function length(value: unknown): number {
  return Buffer.byteLength(jsonForScript(value))
}

async function fitThumbnails(
  drawn: readonly DrawnThumbnail[],
  budget: number,
  kept: KeptPictures | undefined,
): Promise<readonly Uint8Array[]> {
  const encodeAll = (thumbnails: readonly DrawnThumbnail[], size: Size) =>
    mapBounded(thumbnails, encodedAtOnce, (thumbnail) => encodedAs(size, thumbnail, kept))
  let pictures: readonly Uint8Array[] = drawn.map(({ picture }) => picture)
  for (const size of sizes) {
    if (textLength(pictures) <= budget) return pictures
    const tried = drawn.filter((_, i) => i % triedOf === 0)
    const trial = await encodeAll(tried, size)
    if (textLength(trial) * (drawn.length / tried.length) > budget && size !== sizes.at(-1)) continue
    pictures = await encodeAll(drawn, size)
  }
  return pictures
}

/** As base64. */
function textLength(pictures: readonly Uint8Array[]): number {
  return pictures.reduce((sum, { byteLength }) => sum + 4 * Math.ceil(byteLength / 3), 0)
}

type Size = (typeof sizes)[number]

async function encodedAs(
  size: Size,
  { picture, name: drawn }: DrawnThumbnail,
  kept: KeptPictures | undefined,
): Promise<Uint8Array> {
  if (kept === undefined || drawn === undefined) return encode(picture, size)
  const name = kept.nameOf(drawn, size)
  return kept.get(name) ?? kept.keep(name, await encode(picture, size))
}

async function encode(picture: Uint8Array, { scale, quality }: Size): Promise<Uint8Array> {
  const { width } = await sharp(picture).metadata()
  return await sharp(picture)
    .resize({ width: Math.max(1, Math.round(width * scale)) })
    .webp({ quality })
    .toBuffer()
}
