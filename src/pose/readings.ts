import { angleError, angleNames, type AngleName, type Degrees, type Pose } from './euler.ts'

/** One way to read the three numbers of a label: yaw, pitch and roll are `signs[i]` times the label's `order[i]`. */
export interface Reading {
  readonly order: readonly [AngleName, AngleName, AngleName]
  readonly signs: readonly [Sign, Sign, Sign]
  /** Mean absolute error of the estimates against labels so read. */
  readonly mae: Readonly<Record<AngleName | 'mean', Degrees>>
}
type Sign = 1 | -1

export interface Ranking {
  /** Pairs compared. */
  readonly n: number
  /** All 48 readings, the best first. */
  readonly readings: readonly Reading[]
  /** The labels as they are. */
  readonly given: Reading
  /** The best reading, when it fits clearly better than the given one; else null. */
  readonly better: Reading | null
  /** Mean absolute error of the best constant estimate, under any reading. */
  readonly constant: Degrees
  /** Whether the estimates fit in any reading so much better than a constant that the ranking says something. */
  readonly telling: boolean
}

const orders: readonly (readonly [AngleName, AngleName, AngleName])[] = [
  ['yaw', 'pitch', 'roll'],
  ['yaw', 'roll', 'pitch'],
  ['pitch', 'yaw', 'roll'],
  ['pitch', 'roll', 'yaw'],
  ['roll', 'yaw', 'pitch'],
  ['roll', 'pitch', 'yaw'],
]
const signs: readonly Sign[] = [1, -1]

/** A difference between two readings counts from here on: … */
const clear = {
  /** pairs that it was seen in, */
  pairs: 10,
  /** degrees, since a constant offset of the labels moves some readings a little, */
  degrees: 1,
  /** and standard errors of the paired difference, with 48 readings to be fooled by. */
  standardErrors: 4,
}
/** Of a constant's error; a network that knows nothing of the pose comes out at about 1. */
const tellingShare = 0.8

/** Ranks the six orders and eight signs in which labels could be meant by their mean absolute error. */
export function rankReadings(pairs: readonly { readonly estimate: Pose; readonly label: Pose }[]): Ranking {
  const made = orders.flatMap((order) =>
    signs.flatMap((a) => signs.flatMap((b) => signs.map((c) => read(pairs, order, [a, b, c])))),
  )
  const [given] = made
  if (given === undefined) throw new Error('there is always the reading as given')
  // Stable, so that of equal readings the given one comes first.
  const ranked = made.toSorted((a, b) => a.reading.mae.mean - b.reading.mae.mean)
  const best = ranked[0] ?? given
  const constant = constantError(pairs.map(({ label }) => label))
  const telling = pairs.length > 0 && best.reading.mae.mean < tellingShare * constant
  return {
    n: pairs.length,
    readings: ranked.map(({ reading }) => reading),
    given: given.reading,
    better: telling && isClearlyBetter(best.errors, given.errors) ? best.reading : null,
    constant,
    telling,
  }
}

function read(
  pairs: Parameters<typeof rankReadings>[0],
  order: Reading['order'],
  sign: Reading['signs'],
): { reading: Reading; errors: number[] } {
  const sums = { yaw: 0, pitch: 0, roll: 0 }
  const errors = pairs.map(({ estimate, label }) => {
    let total = 0
    for (const [index, name] of angleNames.entries()) {
      const meant = (sign[index] ?? 1) * label[order[index] ?? name]
      const error = Math.abs(angleError(estimate[name], meant))
      sums[name] += error
      total += error / angleNames.length
    }
    return total
  })
  const n = Math.max(1, pairs.length)
  const [yaw, pitch, roll] = [sums.yaw / n, sums.pitch / n, sums.roll / n]
  return { reading: { order, signs: sign, mae: { yaw, pitch, roll, mean: (yaw + pitch + roll) / 3 } }, errors }
}

function isClearlyBetter(best: readonly number[], given: readonly number[]): boolean {
  const differences = given.map((error, index) => error - (best[index] ?? 0))
  const mean = average(differences)
  const variance = average(differences.map((difference) => (difference - mean) ** 2))
  const standardError = Math.sqrt(variance / Math.max(1, differences.length))
  return differences.length >= clear.pairs && mean > clear.degrees && mean > clear.standardErrors * standardError
}

function constantError(labels: readonly Pose[]): Degrees {
  return average(
    angleNames.map((name) => {
      const values = labels.map((label) => label[name]).toSorted((a, b) => a - b)
      const median = values[Math.floor(values.length / 2)] ?? 0
      return average(values.map((value) => Math.abs(value - median)))
    }),
  )
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
