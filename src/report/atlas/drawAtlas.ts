import sharp from 'sharp'
import { enlarge } from '../../image/enlarge.ts'
import type { PoseMaps } from '../../output/poseMaps.ts'
import { magnitudeSide } from '../../saliency/picture.ts'
import { colourTable, tablePlace, type AtlasView, type Scale } from './atlasColours.ts'
import { atlasGrid, type AtlasGrid } from './atlasGrid.ts'
import { commonRange, differences, evenShares, greyLevels, meanMaps, type MeanMap, type MeanMaps } from './meanMaps.ts'

/** One view of one objective: all cells as tiles of one picture. */
export interface AtlasPicture {
  readonly view: AtlasView
  /** Null for what the network saw, which is the same for all objectives. */
  readonly objective: string | null
  /**
   * A WebP file. The tiles lie as in the grid, 64 apart where a tile is 60 wide, with transparent gaps; the mean over all
   * rows is the first tile of one more row below.
   */
  readonly webp: Uint8Array
  /** Common to all tiles: multiples of the even share, or grey levels. */
  readonly scale: Scale
  /** Rows of the overall mean. */
  readonly n: number
  /** Rows by cell. */
  readonly counts: ReadonlyMap<number, number>
}

export interface DrawnAtlas {
  /** Null when no row is placed: then every picture is the mean over all rows alone. */
  readonly grid: AtlasGrid | null
  /** By objective the mean and, with a grid, the difference; then the inputs, where they are there. */
  readonly pictures: readonly AtlasPicture[]
  /** Objectives of the atlas that are not drawn. */
  readonly left: number
}

/** With more objectives the pictures would outgrow the page. */
const drawnObjectives = 4

/** Of all pictures together on a page, as text. */
export const atlasBudget = 700_000

/**
 * Side of a tile in pixels, a multiple of 15 so that the gap of 1/15 is whole, and WebP's quality, best first. A grid over
 * poses to ±75° fits the first; one over the whole circle with four objectives does not.
 */
const sizes = [
  { side: 60, quality: 86 },
  { side: 60, quality: 72 },
  { side: 45, quality: 72 },
  { side: 45, quality: 55 },
  { side: 30, quality: 60 },
  { side: 30, quality: 35 },
  { side: 15, quality: 30 },
] as const
type Size = (typeof sizes)[number]

/** Where a tile of the best size lies: from one to the next it is `pitch` pixels. */
export const bestTile = { side: sizes[0].side, pitch: pitchOf(sizes[0].side) }

/** What is drawn: one view, its numbers not yet coloured. */
export interface AtlasSheet extends Omit<AtlasPicture, 'webp' | 'counts'> {
  readonly cells: ReadonlyMap<number, MeanMap>
  readonly overall: MeanMap
}

export interface AtlasSheets {
  readonly grid: AtlasGrid | null
  readonly sheets: readonly AtlasSheet[]
  /** Objectives of the atlas that are not drawn. */
  readonly left: number
}

/**
 * The pictures of an atlas, at the best quality at which all of them fit the page. Null when it holds no row.
 *
 * @param inputs what the network saw, by the same cells; null where the runs stored none
 * @param budget of all pictures together, as text
 */
export async function drawAtlas(
  atlas: PoseMaps,
  inputs: PoseMaps | null,
  budget = atlasBudget,
): Promise<DrawnAtlas | null> {
  const found = atlasSheets(atlas, inputs)
  if (found === null) return null
  const { grid, sheets, left } = found
  return { grid, pictures: await drawSheets(sheets, grid, budget), left }
}

/** What there is to draw of an atlas, and in what scales; null when it holds no row. */
export function atlasSheets(atlas: PoseMaps, inputs: PoseMaps | null): AtlasSheets | null {
  const grid = atlasGrid(atlas) ?? null
  const objectives = atlas.channels.slice(0, drawnObjectives)
  const sheets = [
    ...objectives.flatMap((objective, channel) => mapSheets(atlas, channel, objective, grid !== null)),
    ...(inputs === null ? [] : inputSheets(inputs)),
  ]
  if (!sheets.some(({ view }) => view === 'mean')) return null
  return { grid, sheets, left: atlas.channels.length - objectives.length }
}

function mapSheets(atlas: PoseMaps, channel: number, objective: string, placed: boolean): AtlasSheet[] {
  const means = meanMaps(atlas, channel, evenShares)
  if (means === undefined) return []
  const { cells, overall } = means
  const { n } = overall
  const mean: AtlasSheet = { view: 'mean', objective, scale: { low: 0, high: rangeOf(means).high }, n, cells, overall }
  if (!placed) return [mean]
  const apart = differences(means)
  const { low, high } = commonRange([...apart.values()])
  const end = Math.max(-low, high)
  return [mean, { view: 'difference', objective, scale: { low: -end, high: end }, n, cells: apart, overall }]
}

/** Grey levels are spread over what occurs: a mean of many images has no black and no white. */
function inputSheets(inputs: PoseMaps): AtlasSheet[] {
  const means = meanMaps(inputs, 0, greyLevels)
  if (means === undefined) return []
  return [{ view: 'input', objective: null, scale: rangeOf(means), n: means.overall.n, ...means }]
}

function rangeOf({ cells, overall }: MeanMaps): Scale {
  return commonRange(cells.size > 0 ? [...cells.values()] : [overall])
}

async function drawSheets(
  sheets: readonly AtlasSheet[],
  grid: AtlasGrid | null,
  budget: number,
): Promise<AtlasPicture[]> {
  const drawAll = (size: Size) => Promise.all(sheets.map((sheet) => drawSheet(sheet, grid, size)))
  let pictures = await drawAll(sizes[0])
  const full = textLength(pictures)
  if (full <= budget) return pictures
  // One picture tells what all come to: drawing all at every size would take seconds.
  const [longest] = sheets
    .map((sheet, i) => ({ sheet, length: pictures[i] === undefined ? 0 : textLengthOf(pictures[i]) }))
    .sort((a, b) => b.length - a.length)
  for (const size of sizes.slice(1)) {
    const trial = longest && textLengthOf(await drawSheet(longest.sheet, grid, size)) / longest.length
    if (trial !== undefined && full * trial > budget && size !== sizes.at(-1)) continue
    pictures = await drawAll(size)
    if (textLength(pictures) <= budget) break
  }
  return pictures
}

function textLength(pictures: readonly AtlasPicture[]): number {
  return pictures.reduce((sum, picture) => sum + textLengthOf(picture), 0)
}

/** Of the data URI that the report's page makes of it. */
function textLengthOf(picture: AtlasPicture): number {
  return dataUri(picture).length
}

/** A picture as the report's page holds it. */
export function dataUri({ webp }: AtlasPicture): string {
  return `data:image/webp;base64,${Buffer.from(webp).toString('base64')}`
}

/** The picture of one sheet, at the best size where none is given. */
export async function drawSheet(
  { view, objective, scale, n, cells, overall }: AtlasSheet,
  grid: AtlasGrid | null,
  { side, quality }: Size = sizes[0],
): Promise<AtlasPicture> {
  const pitch = pitchOf(side)
  const columns = Math.max(1, grid?.columns ?? 1)
  const [width, height] = [columns * pitch, ((grid?.rows ?? 0) + 1) * pitch]
  const pixels = new Uint8Array(width * height * 4)
  const colours = colourTable(view)
  const place = ({ values }: MeanMap, column: number, row: number) => {
    const tile = enlarge(values, magnitudeSide, side)
    for (let y = 0; y < side; y++) {
      let at = ((row * pitch + y) * width + column * pitch) * 4
      for (let x = 0; x < side; x++) {
        const from = tablePlace(tile[y * side + x] ?? 0, scale)
        pixels[at++] = colours[from] ?? 0
        pixels[at++] = colours[from + 1] ?? 0
        pixels[at++] = colours[from + 2] ?? 0
        pixels[at++] = 255
      }
    }
  }
  for (const { cell, column, row } of grid?.cells ?? []) {
    const map = cells.get(cell)
    if (map !== undefined) place(map, column, row)
  }
  // Its own difference from itself would say nothing.
  if (view !== 'difference') place(overall, 0, grid?.rows ?? 0)
  const webp = await sharp(pixels, { raw: { width, height, channels: 4 } })
    .webp({ quality })
    .toBuffer()
  return {
    view,
    objective,
    webp,
    scale,
    n,
    counts: countsOf(cells),
  }
}

/** Rows by cell. */
export function countsOf(cells: ReadonlyMap<number, MeanMap>): ReadonlyMap<number, number> {
  return new Map([...cells].map(([cell, { n }]) => [cell, n]))
}

function pitchOf(side: number): number {
  return (side / 15) * 16
}
