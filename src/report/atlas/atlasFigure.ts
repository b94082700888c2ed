import { colourAt } from '../../image/overlay.ts'
import { poseCellSize } from '../../pose/poseCell.ts'
import { hatched } from '../colours.ts'
import { escapeHtml } from '../escaping.ts'
import { fewImages } from '../fewImages.ts'
import { compact, whole } from '../numberText.ts'
import { short, signed } from '../plotFrame.ts'
import { viewColours, type AtlasView } from './atlasColours.ts'
import type { AtlasGrid } from './atlasGrid.ts'
import { scaleText, viewTitle } from './atlasText.ts'
import { dataUri, type AtlasPicture } from './drawAtlas.ts'

/** Distance of tiles and side of a tile in SVG units, which are pixels where the column is wide enough. */
const tilePitch = 64
const tileSide = 60

const gridLeft = 46
const gridTop = 30
const narrowest = 470
const barWidth = 130

/**
 * The grid of tiles with its axes and its legend: one inline SVG, so that it can be saved as it is seen. It shows the first
 * picture; the page's script changes to the others, which wait in the `defs`. Each tile is a cell of an ARIA grid.
 *
 * @param labels what a screen reader says of a cell, in the grid's order
 */
export function atlasFigure(grid: AtlasGrid, pictures: readonly AtlasPicture[], labels: readonly string[]): string {
  const [across, down] = [grid.columns * tilePitch, grid.rows * tilePitch]
  const width = Math.max(gridLeft + across + 22, narrowest)
  const base = gridTop + down
  const height = base + 92
  const first = pictures[0]
  if (first === undefined) return ''
  // Without the last gap, below which the mean over all rows begins.
  const seen = down - (tilePitch - tileSide)
  const tiles = `<svg x="${gridLeft}" y="${gridTop}" width="${across}" height="${seen}" viewBox="0 0 ${across} ${seen}"><use id="atlas-tiles" href="#atlas-picture-0"/></svg>`
  return `<svg id="atlas-svg" class="${sizeClass(grid.columns)}" data-view="${first.view}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<defs>${pictures.map((picture, index) => image(picture, index, across, down + tilePitch)).join('')}<path id="atlas-hatch" d="${hatched(0, 0, tileSide)}"/></defs>
<g aria-hidden="true"><text class="title" id="atlas-title" x="${gridLeft}" y="18">${escapeHtml(viewTitle(first))}</text>${tiles}${axes(grid, across, down, base)}${legend(pictures, base + 52)}</g>
<g role="grid" id="atlas-grid" aria-label="Cells of yaw and pitch" aria-rowcount="${grid.rows}" aria-colcount="${grid.columns}" aria-readonly="true">${rows(grid, first, labels)}</g>
</svg>`
}

/** Wide grids are scrolled rather than shrunk beyond what can be seen. */
function sizeClass(columns: number): string {
  return columns > 14 ? 'atlas-svg wide' : columns > 7 ? 'atlas-svg middling' : 'atlas-svg'
}

function image(picture: AtlasPicture, index: number, width: number, height: number): string {
  return `<image id="atlas-picture-${index}" width="${width}" height="${height}" preserveAspectRatio="none" href="${dataUri(picture)}"/>`
}

/** No gradient: it would have to be referred to by a url, and the page has none. */
function bar(view: AtlasView, x: number, y: number): string {
  const steps = 32
  const width = barWidth / steps
  const parts = Array.from({ length: steps }, (_, step) => {
    const [r, g, b] = [0, 1, 2].map((channel) => Math.round(colourAt(step / (steps - 1), channel, viewColours[view])))
    // A little wider than its share, or the ground shows between two.
    return `<rect x="${short(x + step * width)}" y="${y}" width="${step === steps - 1 ? short(width) : short(width + 0.5)}" height="11" fill="rgb(${r},${g},${b})"/>`
  })
  return `<g class="bar of-${view}">${parts.join('')}</g>`
}

function axes(grid: AtlasGrid, across: number, down: number, base: number): string {
  // Between two tiles there are four units of gap; a border is its middle.
  const x = (column: number) => gridLeft + column * tilePitch - 2
  const y = (row: number) => gridTop + row * tilePitch - 2
  const parts: string[] = []
  for (let column = 0; column <= grid.columns; column++) {
    parts.push(
      `<text x="${x(column)}" y="${base + 14}" text-anchor="middle">${signed(grid.left + column * poseCellSize)}</text>`,
    )
  }
  for (let row = 0; row <= grid.rows; row++) {
    parts.push(
      `<text x="${gridLeft - 8}" y="${y(row) + 4}" text-anchor="end">${signed(grid.top - row * poseCellSize)}</text>`,
    )
  }
  const zeroColumn = -grid.left / poseCellSize
  const zeroRow = grid.top / poseCellSize
  if (zeroColumn > 0 && zeroColumn < grid.columns) {
    parts.push(`<path class="zero" d="M${x(zeroColumn)} ${gridTop - 4}v${down + 4}"/>`)
  }
  if (zeroRow > 0 && zeroRow < grid.rows) {
    parts.push(`<path class="zero" d="M${gridLeft - 4} ${y(zeroRow)}h${across + 4}"/>`)
  }
  const [middle, centre] = [gridTop + down / 2, gridLeft + across / 2 - 2]
  const name = across < 360 ? gridLeft : centre
  parts.push(
    `<text class="name" x="${name}" y="${base + 30}" text-anchor="${across < 360 ? 'start' : 'middle'}">← nose to the image’s right · yaw, ° · to its left →</text>`,
    `<text class="name" x="11" y="${middle}" text-anchor="middle" transform="rotate(-90 11 ${middle})">pitch, °</text>`,
  )
  return parts.join('')
}

/** Of the view that is shown, which the class of the SVG names: its colours and their ends. */
function legend(pictures: readonly AtlasPicture[], y: number): string {
  const first = pictures[0]
  if (first === undefined) return ''
  const { low, high, unit } = scaleText(first)
  const x = gridLeft
  const beside = x + barWidth + 12
  const bars = [...new Set(pictures.map(({ view }) => view))].map((view) => bar(view, x, y))
  return `${bars.join('')}<text id="atlas-low" x="${x}" y="${y + 24}">${low}</text><text id="atlas-high" x="${x + barWidth}" y="${y + 24}" text-anchor="end">${high}</text>
<text id="atlas-unit" x="${beside}" y="${y + 10}">${unit}</text>
<rect class="swatch" x="${beside}" y="${y + 16}" width="12" height="12"/><path class="hatch" d="${hatched(beside, y + 16, 12)}"/><text x="${beside + 18}" y="${y + 26}">fewer than ${fewImages} images; numbers count images</text>`
}

function rows(grid: AtlasGrid, { counts }: AtlasPicture, labels: readonly string[]): string {
  const drawn = grid.cells.map(({ cell, column, row }, index) => {
    const n = counts.get(cell) ?? 0
    const place = `${gridLeft + column * tilePitch} ${gridTop + row * tilePitch}`
    const html = `<g role="gridcell" class="cell${n < fewImages ? ' sparse' : ''}" tabindex="-1" aria-colindex="${column + 1}" aria-label="${escapeHtml(labels[index] ?? '')}" transform="translate(${place})"><use class="hatch rim" href="#atlas-hatch"/><use class="hatch" href="#atlas-hatch"/><text class="n" x="4" y="${tileSide - 5}">${compact(n)}</text><rect class="frame" width="${tileSide}" height="${tileSide}"/></g>`
    return { row, html }
  })
  return Array.from({ length: grid.rows }, (_, row) => {
    const cells = drawn.filter((cell) => cell.row === row).map(({ html }) => html)
    return cells.length === 0 ? '' : `<g role="row" aria-rowindex="${row + 1}">${cells.join('')}</g>`
  }).join('')
}

/**
 * A tile alone: `id` names the SVG for the script, which moves its view. A little within the tile, since enlarging mixes its
 * edge with the gap beside it.
 */
export function atlasTile(id: string, picture: number, [column, row]: readonly [number, number], name: string): string {
  return `<svg id="${id}" class="atlas-tile" viewBox="${column * tilePitch + 0.5} ${row * tilePitch + 0.5} ${tileSide - 1} ${tileSide - 1}" role="img" aria-label="${escapeHtml(name)}"><use href="#atlas-picture-${picture}"/></svg>`
}

export function imagesText(n: number): string {
  return n === 1 ? '1 image' : `${whole(n)} images`
}
