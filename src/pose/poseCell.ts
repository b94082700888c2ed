import { angleError, type Degrees } from './euler.ts'

/** Side of a cell of the grid over yaw and pitch. The first cell begins at −180°, so 0° is a border, not a centre. */
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

function place(angle: Degrees): number {
  return Math.min(cellsAcross - 1, Math.floor((angleError(angle, 0) + 180) / poseCellSize))
}
