import { poseCell } from '../pose/poseCell.ts'
import type { RowAngles } from './rowErrors.ts'

/** What places a row in the grid over yaw and pitch. */
export type PlacedBy = 'label' | 'estimate'

/**
 * The cell of a row that did not fail: by its label where it has one, else by the estimate. Null where neither has both
 * yaw and pitch, as with a classifier. Decided row by row, so that one label more moves one row and not all of them.
 */
export function rowPose({ yaw, pitch, labelYaw, labelPitch }: RowAngles): { cell: number; by: PlacedBy } | null {
  if (labelYaw !== null && labelPitch !== null) return { cell: poseCell(labelYaw, labelPitch), by: 'label' }
  if (yaw !== null && pitch !== null) return { cell: poseCell(yaw, pitch), by: 'estimate' }
  return null
}
