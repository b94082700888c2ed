import { anglesWithErrors, beyondLabelLimit, posesOf, type RowAngles } from '../output/rowErrors.ts'
import type { RunSummary, Summary } from '../output/summary.ts'
import { angleNames, type AngleName, type Degrees } from '../pose/euler.ts'
import { geodesicError } from '../pose/geodesic.ts'
import { AbsoluteErrors } from './absoluteErrors.ts'

/** The columns of a table row that a summary needs; a row of `angles.parquet` has them all. */
export interface SummaryRow extends RowAngles {
  readonly status: string
  /** Why the sample failed; null when it did not. */
  readonly code: string | null
  /** Of one that did not fail: why its label cannot be used. */
  readonly message: string | null
  readonly errorYaw: Degrees | null
  readonly errorPitch: Degrees | null
  readonly errorRoll: Degrees | null
}

/** The parts of a summary that come from the samples themselves. */
export type SampleSummary = Pick<Summary, 'mae' | 'bias' | 'errors' | 'partialErrors' | 'unusableLabels' | 'failures'>

/** What a summary says of the samples that its run has computed itself, `n` of them. */
export function runSummary({ mae, bias, errors, partialErrors, failures }: SampleSummary, n: number): RunSummary {
  return { n, mae, bias: bias ?? null, errors, ...(partialErrors === undefined ? {} : { partialErrors }), failures }
}

/**
 * Turns the final table of a run into the numbers of `summary.json`, in memory that does
 * not grow with the dataset. Feed every row of the final state, in any order; sums are taken in the order of the calls,
 * so equal tables give equal bits.
 *
 * A sample counts towards the angle errors when it has a label and an estimate and no label lies beyond ±99°; those that
 * do are counted as excluded. A network that gives only some of the angles has errors of these (`partialErrors`). `mean` is
 * over the three angles of a sample: its MAE is the mean of the three, its median is the median of the samples' own means
 * (not the mean of three medians).
 */
export class SummaryAccumulator {
  readonly #errors = { yaw: new AbsoluteErrors(), pitch: new AbsoluteErrors(), roll: new AbsoluteErrors() }
  readonly #signedSums: Record<AngleName, Degrees> = { yaw: 0, pitch: 0, roll: 0 }
  readonly #meanErrors = new AbsoluteErrors()
  readonly #failures = new Map<string, number>()
  #geodesicSum: Degrees = 0
  #excluded = 0
  /** Samples that count although the network does not give all three angles. */
  #partial = 0
  #unusableLabels = 0

  addRow(row: SummaryRow): void {
    if (row.status === 'failed') {
      const code = row.code ?? 'unknown'
      this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1)
      return
    }
    if (row.message !== null) this.#unusableLabels++
    const error = { yaw: row.errorYaw, pitch: row.errorPitch, roll: row.errorRoll }
    const angles = anglesWithErrors(row)
    if (angles.length === 0 || angles.some((angle) => error[angle] === null)) return
    if (beyondLabelLimit(row)) {
      this.#excluded++
      return
    }
    let sum = 0
    for (const angle of angles) {
      const signed = error[angle] ?? 0
      this.#errors[angle].add(signed)
      this.#signedSums[angle] += signed
      sum += Math.abs(signed)
    }
    const poses = posesOf(row)
    if (poses === null) {
      this.#partial++
      return
    }
    this.#meanErrors.add(sum / 3)
    this.#geodesicSum += geodesicError(poses.estimate, poses.label)
  }

  finish(): SampleSummary {
    const n = this.#meanErrors.n
    const { yaw, pitch, roll } = this.#errors
    const mean = this.#meanErrors
    const bias = this.#signedSums
    return {
      mae: n === 0 ? null : { yaw: yaw.mean(), pitch: pitch.mean(), roll: roll.mean(), mean: mean.mean() },
      bias: n === 0 ? null : { yaw: bias.yaw / n, pitch: bias.pitch / n, roll: bias.roll / n },
      errors:
        n === 0
          ? null
          : {
              n,
              excluded: this.#excluded,
              median: { yaw: yaw.median(), pitch: pitch.median(), roll: roll.median(), mean: mean.median() },
              geodesicMean: this.#geodesicSum / n,
            },
      ...(this.#partial === 0 ? {} : { partialErrors: this.#partialErrors() }),
      ...(this.#unusableLabels === 0 ? {} : { unusableLabels: this.#unusableLabels }),
      failures: Object.fromEntries([...this.#failures].sort(([a], [b]) => (a < b ? -1 : 1))),
    }
  }

  #partialErrors(): NonNullable<Summary['partialErrors']> {
    const angles = angleNames.filter((angle) => this.#errors[angle].n > 0)
    const each = (value: (angle: AngleName) => Degrees) =>
      Object.fromEntries(angles.map((angle) => [angle, value(angle)]))
    return {
      n: this.#partial,
      excluded: this.#excluded,
      mae: each((angle) => this.#errors[angle].mean()),
      median: each((angle) => this.#errors[angle].median()),
      bias: each((angle) => this.#signedSums[angle] / this.#errors[angle].n),
    }
  }
}
