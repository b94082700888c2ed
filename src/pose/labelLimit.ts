import type { Degrees } from './euler.ts'

/** Bins of Hopenet's heads end at ±99°, so the literature leaves samples out whose label lies beyond. */
const labelLimit: Degrees = 99

/**
 * Whether an angle of a label lies beyond ±99°, which leaves the sample out of all angle errors: of the summary's and the
 * report's, and wherever else estimates are held against labels.
 */
export function isBeyondLabelLimit(label: Iterable<Degrees | null>): boolean {
  // As the table holds it: what rounds to 99° there is within the limit everywhere.
  for (const angle of label) if (Math.abs(Math.fround(angle ?? 0)) > labelLimit) return true
  return false
}
