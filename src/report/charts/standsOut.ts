import type { Names } from '../../output/aggregates.ts'
import { angleNames, type AngleName, type Degrees } from '../../pose/euler.ts'
import { fewImages } from '../fewImages.ts'
import { biasOf, meanOfAngles, measured } from './groupErrors.ts'

type NamedGroup = Names['named'][number]

/** A bias that is unlike the others': the labels of that subject, or its images, want a look. */
export interface StandingOut {
  readonly name: string
  readonly angle: AngleName
  readonly bias: Degrees
  /** Of the subjects' biases in that angle. */
  readonly median: Degrees
}

/** Of fewer, none can be told from the others. */
export const leastGroups = 5
/** Over 20 images, the mean error of a harmless group hardly ever strays so far; at twice it, another camera goes unseen. */
export const worseFactor = 1.5
/** An error has no sign, and its rule no spread: of three, one can be told from the others. */
const leastWorseGroups = 3
const leastDistance: Degrees = 2
const deviations = 3
/** Of a normal distribution, the median distance from the median times this is its standard deviation. */
const normalFactor = 1.4826

/** The rule of `standingOut`, for people. `groups`: those that it was called with, as `all subjects`. */
export function standingOutRule(groups: string): string {
  return `A bias stands out if it lies more than ${leastDistance}° and more than ${deviations} robust standard deviations from the median, which is that of ${groups} with ${fewImages} images or more. A robust standard deviation is ${normalFactor} times the median distance from the median. At least ${leastGroups} such groups are needed. If a bias stands out and the images look like all the others, check the labels.`
}

/** Medians in place of means: the subject that is sought would move a mean, and widen a standard deviation, itself. */
export function standingOut(groups: readonly NamedGroup[]): StandingOut[] {
  const enough = groups.filter((group) => measured(group) >= fewImages)
  if (enough.length < leastGroups) return []
  return angleNames.flatMap((angle) => {
    const biases = enough.flatMap((group) => {
      const bias = biasOf(group, angle)
      return bias === undefined ? [] : [{ name: group.name, bias }]
    })
    const median = medianOf(biases.map(({ bias }) => bias))
    const deviation = normalFactor * medianOf(biases.map(({ bias }) => Math.abs(bias - median)))
    const limit = Math.max(leastDistance, deviations * deviation)
    return biases.filter(({ bias }) => Math.abs(bias - median) > limit).map((found) => ({ ...found, angle, median }))
  })
}

/** An error that is far larger than the others'. */
export interface WorseGroup {
  readonly name: string
  readonly error: Degrees
  /** Of the errors of all that have enough images. */
  readonly median: Degrees
}

/** Those whose mean error is more than `worseFactor` times the median of all with enough images; there must be three. */
export function worseGroups(groups: readonly NamedGroup[]): WorseGroup[] {
  const enough = groups.flatMap((group) => {
    const error = meanOfAngles(group)
    return error === undefined || measured(group) < fewImages ? [] : [{ name: group.name, error }]
  })
  if (enough.length < leastWorseGroups) return []
  const median = medianOf(enough.map(({ error }) => error))
  return enough
    .filter(({ error }) => error > worseFactor * median)
    .sort((a, b) => b.error - a.error)
    .map((found) => ({ ...found, median }))
}

/** NaN when there is none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2
}
