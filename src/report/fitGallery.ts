import sharp from 'sharp'
import type { GallerySample } from './pageContent.ts'

/** A sample of the gallery whose thumbnail is not yet fitted to the page: the bytes of a WebP picture. */
export type DrawnSample = Omit<GallerySample, 'picture'> & { readonly thumbnail: Uint8Array }

/**
 * What the thumbnails may lose, best first: smaller ones look better than coarser ones from the third on. The number of
 * samples is promised, so it is none of these. Even noise fits at the last.
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

const prefix = 'data:image/webp;base64,'

/** One of so many is tried before all are encoded anew. */
const triedOf = 8

/**
 * The samples with their pictures, as drawn where all of them fit, else at the best size that does.
 *
 * @param budget of the samples as JSON, bytes
 */
export async function fitGallery(drawn: readonly DrawnSample[], budget: number): Promise<GallerySample[]> {
  const samples = drawn.map(({ thumbnail, ...sample }) => ({ sample, thumbnail }))
  const texts = samples.map(({ sample }) => ({ ...sample, picture: prefix }))
  const text = Buffer.byteLength(JSON.stringify(texts))
  const thumbnails = await fitThumbnails(
    samples.map(({ thumbnail }) => thumbnail),
    budget - text,
  )
  return samples.map(({ sample }, i) => ({
    ...sample,
    picture: `${prefix}${Buffer.from(thumbnails[i] ?? []).toString('base64')}`,
  }))
}

async function fitThumbnails(drawn: readonly Uint8Array[], budget: number): Promise<readonly Uint8Array[]> {
  let thumbnails = drawn
  for (const size of sizes) {
    if (textLength(thumbnails) <= budget) return thumbnails
    const tried = drawn.filter((_, i) => i % triedOf === 0)
    const trial = await encodeAll(tried, size)
    if (textLength(trial) * (drawn.length / tried.length) > budget && size !== sizes.at(-1)) continue
    thumbnails = await encodeAll(drawn, size)
  }
  return thumbnails
}

/** As base64. */
function textLength(pictures: readonly Uint8Array[]): number {
  return pictures.reduce((sum, { byteLength }) => sum + 4 * Math.ceil(byteLength / 3), 0)
}

async function encodeAll(pictures: readonly Uint8Array[], size: (typeof sizes)[number]): Promise<Uint8Array[]> {
  const encoded: Uint8Array[] = []
  for (const picture of pictures) encoded.push(await encode(picture, size))
  return encoded
}

async function encode(picture: Uint8Array, { scale, quality }: (typeof sizes)[number]): Promise<Uint8Array> {
  const { width } = await sharp(picture).metadata()
  return await sharp(picture)
    .resize({ width: Math.max(1, Math.round(width * scale)) })
    .webp({ quality })
    .toBuffer()
}
