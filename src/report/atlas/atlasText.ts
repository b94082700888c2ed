import type { AtlasPicture } from './drawAtlas.ts'

const viewNames = { mean: 'mean map', difference: 'difference from the overall mean map', input: 'mean input' } as const

/** For people: `mean map, objective yaw`. */
export function viewTitle({ view, objective }: Pick<AtlasPicture, 'view' | 'objective'>): string {
  return objective === null ? viewNames[view] : `${viewNames[view]}, objective ${objective}`
}

/** The ends of a picture's colours, and what they count. */
export function scaleText({ view, scale }: Pick<AtlasPicture, 'view' | 'scale'>): {
  low: string
  high: string
  unit: string
} {
  const { low, high } = scale
  if (view === 'input') return { low: low.toFixed(0), high: high.toFixed(0), unit: 'grey level, 0 to 255' }
  const unit = '× the even share, 1/784 of a map'
  if (view === 'difference') return { low: `−${high.toFixed(2)}`, high: `+${high.toFixed(2)}`, unit }
  return { low: low.toFixed(0), high: high.toFixed(1), unit }
}
