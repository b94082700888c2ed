import { poseCellSize } from '../../pose/poseCell.ts'
import { signed } from '../plotFrame.ts'
import type { GridCell } from './atlasGrid.ts'
import type { AtlasPicture } from './drawAtlas.ts'

const viewNames = { mean: 'mean map', difference: 'difference from the overall mean map', input: 'mean input' } as const

/** For people: `mean map, objective yaw`. */
export function viewTitle({ view, objective }: Pick<AtlasPicture, 'view' | 'objective'>): string {
  return objective === null ? viewNames[view] : `${viewNames[view]}, objective ${objective}`
}

/** The ends of a picture's colours, and what they count. */
export function scaleText({ view, scale }: AtlasPicture): { low: string; high: string; unit: string } {
  const { low, high } = scale
  if (view === 'input') return { low: low.toFixed(0), high: high.toFixed(0), unit: 'grey level, 0 to 255' }
  const unit = '× the even share, 1/784 of a map'
  if (view === 'difference') return { low: `−${high.toFixed(2)}`, high: `+${high.toFixed(2)}`, unit }
  return { low: low.toFixed(0), high: high.toFixed(1), unit }
}

/** `yaw −15 to 0°, pitch 0 to 15°`. */
export function cellName({ yaw, pitch }: Pick<GridCell, 'yaw' | 'pitch'>): string {
  const range = (least: number) => `${signed(least)} to ${signed(least + poseCellSize)}°`
  return `yaw ${range(yaw)}, pitch ${range(pitch)}`
}

/** A count in at most four characters: `812`, `1.2k`, `81k`, `1.2M`. */
export function compact(n: number): string {
  if (n < 1000) return String(n)
  const [value, letter] = n < 999_500 ? [n / 1000, 'k'] : [n / 1_000_000, 'M']
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)}${letter}`
}
