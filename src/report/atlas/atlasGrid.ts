import { unplaced, type PoseMaps } from '../../output/poseMaps.ts'
import type { Degrees } from '../../pose/euler.ts'
import { poseCellCorner, poseCellSize } from '../../pose/poseCell.ts'

/** Where a cell is drawn: columns and rows from 0, from the upper left. `yaw` and `pitch` are its least. */
export interface GridCell {
  readonly cell: number
  readonly yaw: Degrees
  readonly pitch: Degrees
  readonly column: number
  readonly row: number
}

/** The occupied range of the grid over yaw and pitch. */
export interface AtlasGrid {
  readonly columns: number
  readonly rows: number
  /** In reading order. */
  readonly cells: readonly GridCell[]
  /** Yaw at the left edge, from where it rises by `poseCellSize` a cell, and pitch at the upper one, from where it falls. */
  readonly left: Degrees
  readonly top: Degrees
}

/**
 * Pitch rises upwards and yaw to the right, as in the page's charts, so that a cell is found again in them. (Tempting is
 * yaw to the left, where heads would stand on the side that they look to.) Undefined when no row is placed.
 */
export function atlasGrid({ cells }: PoseMaps): AtlasGrid | undefined {
  const occupied = [...cells]
    .filter(([cell, { n }]) => n > 0 && cell !== unplaced)
    .map(([cell]) => ({ cell, ...poseCellCorner(cell) }))
  if (occupied.length === 0) return undefined
  const yaws = occupied.map(({ yaw }) => yaw)
  const pitches = occupied.map(({ pitch }) => pitch)
  const [lowestYaw, highestPitch] = [Math.min(...yaws), Math.max(...pitches)]
  const placed = occupied.map((cell) => ({
    ...cell,
    column: (cell.yaw - lowestYaw) / poseCellSize,
    row: (highestPitch - cell.pitch) / poseCellSize,
  }))
  return {
    columns: (Math.max(...yaws) - lowestYaw) / poseCellSize + 1,
    rows: (highestPitch - Math.min(...pitches)) / poseCellSize + 1,
    cells: placed.sort((a, b) => a.row - b.row || a.column - b.column),
    left: lowestYaw,
    top: highestPitch + poseCellSize,
  }
}
