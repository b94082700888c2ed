import type { Degrees } from './euler.ts'

/** What the distribution over a head's bins says beyond its mean, the angle. */
export interface BinStatistics {
  /** The most likely bin; the first of equals. */
  readonly topBin: number
  readonly topProbability: number
  /** Standard deviation of the distribution. */
  readonly binsStd: Degrees
  /** Entropy in nats: 0 when one bin holds everything, ln(number of bins) when all are alike. */
  readonly binsEntropy: number
}

/** Softmax in float64 over a binned head's logits; `step` is the width of a bin in degrees. */
export function binStatistics(logits: Float32Array, step: Degrees): BinStatistics {
  let topBin = 0
  for (const [bin, logit] of logits.entries()) if (logit > (logits[topBin] ?? 0)) topBin = bin
  const top = logits[topBin] ?? 0

  let total = 0
  for (const logit of logits) total += Math.exp(logit - top)
  const logTotal = Math.log(total)
  let mean = 0
  let entropy = 0
  for (const [bin, logit] of logits.entries()) {
    const probability = Math.exp(logit - top) / total
    mean += probability * bin
    // The logarithm is taken from the logit, since log(probability) loses digits near 1. A bin of no probability adds
    // nothing; its logit may be −∞.
    if (probability > 0) entropy -= probability * (logit - top - logTotal)
  }
  // About the mean, not Σp·i² − mean²: that difference cancels to noise, or below zero, for a sharp distribution.
  let variance = 0
  for (const [bin, logit] of logits.entries()) variance += (Math.exp(logit - top) / total) * (bin - mean) ** 2

  return { topBin, topProbability: 1 / total, binsStd: Math.abs(step) * Math.sqrt(variance), binsEntropy: entropy }
}
