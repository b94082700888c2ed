import type { Degrees } from '../../pose/euler.ts'
import { poseCellSize } from '../../pose/poseCell.ts'
import { hatched } from '../colours.ts'
import { short, signed } from '../plotFrame.ts'

/** What a cell of the grid shows. `yaw` and `pitch` are its least. */
export interface GridCell {
  readonly yaw: Degrees
  readonly pitch: Degrees
  /** Of its colour. */
  readonly className: string
  readonly text: string
  /** What a pointer over it tells, no markup; none in small grids, which stand beside one that tells it. */
  readonly title?: string
  readonly isFew: boolean
}

export interface GridOptions {
  /** Of a cell, in SVG units, which are pixels where there is room. */
  readonly side: number
  /** What a screen reader says of it, no markup. */
  readonly name: string
}

/** From here on a cell has room for large numbers. */
const large = 36

const margins = { left: 46, top: 6, right: 14, bottom: 36 }
/** A little of what is empty around the centre belongs to the picture, so that a few near poses look near. */
const always: Degrees = 30

/** The part of the circle that a grid shows: that of its cells, and ±30° in any case. */
export class GridBounds {
  readonly yaw: readonly [from: Degrees, to: Degrees]
  readonly pitch: readonly [from: Degrees, to: Degrees]

  constructor(cells: readonly Pick<GridCell, 'yaw' | 'pitch'>[]) {
    this.yaw = range(cells.map(({ yaw }) => yaw))
    this.pitch = range(cells.map(({ pitch }) => pitch))
  }

  /** Cells across. */
  get columns(): number {
    return (this.yaw[1] - this.yaw[0]) / poseCellSize
  }

  /** Cells from top to bottom. */
  get rows(): number {
    return (this.pitch[1] - this.pitch[0]) / poseCellSize
  }
}

/** A grid over yaw, to the right, and pitch, upwards, as an inline SVG element of its own size. */
export function drawPoseGrid(cells: readonly GridCell[], bounds: GridBounds, { side, name }: GridOptions): string {
  const [width, height] = [bounds.columns * side, bounds.rows * side]
  const x = (yaw: Degrees) => margins.left + ((yaw - bounds.yaw[0]) / poseCellSize) * side
  const y = (pitch: Degrees) => margins.top + height - ((pitch - bounds.pitch[0]) / poseCellSize) * side
  const square = ({ yaw, pitch }: GridCell) =>
    `M${short(x(yaw) + 1)} ${short(y(pitch + poseCellSize) + 1)}h${side - 1}v${side - 1}h${1 - side}z`
  const hatching = ({ yaw, pitch, isFew }: GridCell) =>
    isFew ? `<path class="few" d="${hatched(x(yaw), y(pitch + poseCellSize), side)}"/>` : ''
  const number = ({ yaw, pitch, text }: GridCell) =>
    `<text x="${short(x(yaw) + side / 2)}" y="${short(y(pitch + poseCellSize) + side / 2 + 4)}">${text}</text>`
  const told = cells
    .filter(({ title }) => title !== undefined)
    .map(
      (cell) =>
        `<g class="${cell.className}"><title>${cell.title}</title><path d="${square(cell)}"/>${hatching(cell)}${number(cell)}</g>`,
    )
  // One path for all squares of a colour: of cells that tell nothing more, an element each would be half the page.
  const untold = byClass(cells.filter(({ title }) => title === undefined)).map(
    ([className, of]) =>
      `<g class="${className}"><path d="${of.map(square).join('')}"/>${of.map(hatching).join('')}${of.map(number).join('')}</g>`,
  )
  const axes = [
    ...ticks(bounds.yaw).map(
      (yaw) => `<text x="${short(x(yaw))}" y="${margins.top + height + 14}" text-anchor="middle">${signed(yaw)}</text>`,
    ),
    ...ticks(bounds.pitch).map(
      (pitch) => `<text x="${margins.left - 6}" y="${short(y(pitch) + 3.5)}" text-anchor="end">${signed(pitch)}</text>`,
    ),
    `<text class="name" x="${margins.left + width / 2}" y="${margins.top + height + 30}" text-anchor="middle">yaw, °</text>`,
    `<text class="name" x="9" y="${margins.top + height / 2}" text-anchor="middle" transform="rotate(-90 9 ${margins.top + height / 2})">pitch, °</text>`,
  ]
  const centre = `<path class="centre" d="M${short(x(0))} ${margins.top}v${height}M${margins.left} ${short(y(0))}h${width}"/>`
  const frame = `<path class="grid" d="M${margins.left} ${margins.top}h${width}v${height}h${-width}z"/>`
  const size = [margins.left + width + margins.right, margins.top + height + margins.bottom] as const
  return `<svg class="own${side >= large ? ' broad' : ''}" width="${size[0]}" height="${size[1]}" viewBox="0 0 ${size[0]} ${size[1]}" role="img" aria-label="${name}">${frame}<g class="numbers${side >= large ? ' large' : ''}">${[...told, ...untold].join('')}</g>${centre}${axes.join('')}</svg>`
}

function byClass(cells: readonly GridCell[]): [string, GridCell[]][] {
  const groups = new Map<string, GridCell[]>()
  for (const cell of cells) {
    const group = groups.get(cell.className)
    if (group === undefined) groups.set(cell.className, [cell])
    else group.push(cell)
  }
  return [...groups]
}

function range(least: readonly Degrees[]): readonly [Degrees, Degrees] {
  return [Math.min(-always, ...least), Math.max(always, ...least.map((degrees) => degrees + poseCellSize))]
}

function ticks([from, to]: readonly [Degrees, Degrees]): Degrees[] {
  const step = to - from > 270 ? 60 : 30
  const first = Math.ceil(from / step)
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step)
}
