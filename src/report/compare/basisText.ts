import type { IntervalBasis } from './comparison.ts'

/** What stands behind the intervals, for people. */
export function basisText(basis: IntervalBasis | null): string {
  if (basis === null) return 'no interval'
  const { unit, units, areShared, unnamed, method, isFew } = basis
  const many = units.toLocaleString('en-US')
  const groups = areShared ? ' groups of' : ''
  if (units === 1) return `no interval: all images are of one ${unit}, which says nothing of others`
  if (method === 'normal') {
    return `intervals by the normal distribution, as if the ${many} images were independent of each other`
  }
  const others = unnamed === 0 ? '' : ` (${unnamed.toLocaleString('en-US')} images that name none count as one)`
  const independent = unit === 'image' ? ', as if they were independent of each other' : ''
  const caution = isFew ? `; so few ${unit}s say little of others, and the interval is likely too narrow` : ''
  return `intervals by resampling ${many}${groups} ${unit}s${others}${independent}${caution}`
}
