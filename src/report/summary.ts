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
export type SampleSummary = Pick<
  Summary,
  'mae' | 'bias' | 'errors' | 'partialErrors' | 'unusableLabels' | 'failures' | 'mapCorrelations'
>

/** What a summary says of the samples that its run has computed itself, `n` of them. */
export function runSummary({ mae, bias, errors, partialErrors, failures }: SampleSummary, n: number): RunSummary {
  return { n, mae, bias: bias ?? null, errors, ...(partialErrors === undefined ? {} : { partialErrors }), failures }
}

/**
 * Turns the final table of a run and its small magnitude maps into the numbers of `summary.json`, in memory that does
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
  readonly #correlations = new Map<string, { sum: number; n: number }>()
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

  /**
   * The 28 × 28 magnitude maps of one sample by objective. A pair in which one map is constant has no correlation and
   * is left out of that pair's mean.
   */
  addMagnitudes(maps: ReadonlyMap<string, Float32Array>): void {
    if (maps.size < 2) return
    const centred = [...maps].map(([objective, map]) => ({ objective, ...centre(map) }))
    for (const [i, a] of centred.entries()) {
      for (const b of centred.slice(i + 1)) {
        if (a.norm === 0 || b.norm === 0) continue
        let dot = 0
        for (let j = 0; j < a.values.length; j++) dot += (a.values[j] ?? 0) * (b.values[j] ?? 0)
        const pair = `${a.objective}~${b.objective}`
        const seen = this.#correlations.get(pair) ?? { sum: 0, n: 0 }
        seen.sum += dot / (a.norm * b.norm)
        seen.n++
        this.#correlations.set(pair, seen)
      }
    }
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
      mapCorrelations: Object.fromEntries(
        [...this.#correlations].map(([pair, { sum, n: seen }]) => [pair, sum / seen]),
      ),
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

function centre(map: Float32Array): { values: Float64Array; norm: number } {
  let sum = 0
  for (let i = 0; i < map.length; i++) sum += map[i] ?? 0
  const mean = sum / map.length
  const values = new Float64Array(map.length)
  let squares = 0
  for (let i = 0; i < map.length; i++) {
    const value = (map[i] ?? 0) - mean
    values[i] = value
    squares += value * value
  }
  // Rounding leaves a constant map with a tiny norm instead of none; its correlation would be noise.
  const norm = Math.sqrt(squares)
  return { values, norm: norm <= 1e-12 * Math.abs(mean) * values.length ? 0 : norm }
}
