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
  /** Yaw at the left edge, and pitch at the upper one: both fall from there by `poseCellSize` a cell. */
  readonly left: Degrees
  readonly top: Degrees
}

/**
 * Pitch rises upwards. Yaw rises to the left: a positive one turns the nose to the image's left, so that the heads on
 * the left of the grid look to the left. Undefined when no row is placed.
 */
export function atlasGrid({ cells }: PoseMaps): AtlasGrid | undefined {
  const occupied = [...cells]
    .filter(([cell, { n }]) => n > 0 && cell !== unplaced)
    .map(([cell]) => ({ cell, ...poseCellCorner(cell) }))
  if (occupied.length === 0) return undefined
  const yaws = occupied.map(({ yaw }) => yaw)
  const pitches = occupied.map(({ pitch }) => pitch)
  const [highestYaw, highestPitch] = [Math.max(...yaws), Math.max(...pitches)]
  const placed = occupied.map((cell) => ({
    ...cell,
    column: (highestYaw - cell.yaw) / poseCellSize,
    row: (highestPitch - cell.pitch) / poseCellSize,
  }))
  return {
    columns: (highestYaw - Math.min(...yaws)) / poseCellSize + 1,
    rows: (highestPitch - Math.min(...pitches)) / poseCellSize + 1,
    cells: placed.sort((a, b) => a.row - b.row || a.column - b.column),
    left: highestYaw + poseCellSize,
    top: highestPitch + poseCellSize,
  }
}
