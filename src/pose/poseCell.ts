import { angleError, type Degrees } from './euler.ts'

/**
 * Side of a cell of the grid over yaw and pitch. The first cell begins at −180°, so 0° is a border, not a centre. A border
 * belongs to the cell further from 0°, on either side, and 0° to the positive one: labels in steps of 15° would else put
 * +15° and −15° into different bands of |angle|.
 */
export const poseCellSize: Degrees = 15

/** Cells along yaw, and along pitch: the grid covers the whole circle, since labels do. */
const cellsAcross = 360 / poseCellSize

/** The number of the cell in which a pose lies, 0 to 575; rows of equal pitch, from −180° up. Angles are wrapped. */
export function poseCell(yaw: Degrees, pitch: Degrees): number {
  return place(pitch) * cellsAcross + place(yaw)
}

/** The least yaw and pitch of a cell. */
export function poseCellCorner(cell: number): { readonly yaw: Degrees; readonly pitch: Degrees } {
  const across = cell % cellsAcross
  return {
    yaw: across * poseCellSize - 180,
    pitch: ((cell - across) / cellsAcross) * poseCellSize - 180,
  }
}

/** The band of 15° of |angle|, 0 to 11, which holds its lower edge: two cells of the grid, mirror images of each other. */
export function angleBand(angle: Degrees): number {
  return Math.min(cellsAcross / 2 - 1, Math.floor(Math.abs(angleError(angle, 0)) / poseCellSize))
}

function place(angle: Degrees): number {
  const half = cellsAcross / 2
  return angleError(angle, 0) < 0 ? half - 1 - angleBand(angle) : half + angleBand(angle)
}
