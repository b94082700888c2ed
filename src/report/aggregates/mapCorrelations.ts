import { correlationStep, type PoseMaps } from '../../output/poseMaps.ts'
import type { Summary } from '../../output/summary.ts'

/** What a summary says of the likeness of maps, from the atlas of its state. */
export function mapCorrelations({ pairs }: PoseMaps): Pick<Summary, 'mapCorrelations' | 'mapCorrelationImages'> {
  const counted = [...pairs].filter(([, { n }]) => n > 0)
  return {
    mapCorrelations: Object.fromEntries(counted.map(([pair, { n, steps }]) => [pair, (steps * correlationStep) / n])),
    ...(counted.length === 0
      ? {}
      : { mapCorrelationImages: Object.fromEntries(counted.map(([pair, { n }]) => [pair, n])) }),
  }
}
