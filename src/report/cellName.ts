import type { Degrees } from '../pose/euler.ts'
import { poseCellSize } from '../pose/poseCell.ts'
import { signed } from './plotFrame.ts'

/** A cell by its least angles: `yaw −15 to 0°, pitch 0 to 15°`. */
export function cellName({ yaw, pitch }: { readonly yaw: Degrees; readonly pitch: Degrees }): string {
  const range = (least: Degrees) => `${signed(least)} to ${signed(least + poseCellSize)}°`
  return `yaw ${range(yaw)}, pitch ${range(pitch)}`
}
