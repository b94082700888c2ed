import type { AngleErrors } from '../../output/aggregates.ts'
import type { Degrees } from '../../pose/euler.ts'

const fineWidth: Degrees = 0.5
const fineEnd: Degrees = 10

/**
 * Where the bins of |error| begin and end: 20 of 0.5° up to 10°, then 12 that widen up to 180°. Never change them: they
 * are in every `aggregates.json`, and counts of other bins cannot be added to these.
 */
export const errorBinEdges: readonly Degrees[] = [
  ...Array.from({ length: fineEnd / fineWidth }, (_, i) => i * fineWidth),
  fineEnd,
  12,
  15,
  20,
  25,
  30,
  40,
  50,
  60,
  75,
  90,
  120,
  180,
]

export const errorBinCount = errorBinEdges.length - 1

/** By whole half degrees, since every edge is one: a search through the edges would be a third of an aggregation's time. */
const binOfHalfDegrees = Uint8Array.from({ length: 180 / fineWidth + 1 }, (_, half) =>
  Math.min(
    errorBinCount - 1,
    errorBinEdges.findLastIndex((edge) => edge <= half * fineWidth),
  ),
)

/** The bin of an error in [−180, 180], with or without its sign. A bin holds its lower edge; the last one holds both. */
export function errorBin(error: Degrees): number {
  return binOfHalfDegrees[Math.floor(Math.abs(error) / fineWidth)] ?? errorBinCount - 1
}

/**
 * The |error| below which a share of the samples lies (0.5: the median), NaN when there is none. Within a bin samples
 * count as evenly spread, so the result is right to the width of its bin at worst: 0.5° below 10°, from there on a third
 * of itself, half beyond 120°.
 */
export function percentile(histogram: AngleErrors['histogram'], share: number): Degrees {
  const wanted = share * histogram.reduce((sum, [, count]) => sum + count, 0)
  let below = 0
  for (const [bin, count] of histogram) {
    const [from, to] = [errorBinEdges[bin], errorBinEdges[bin + 1]]
    if (from === undefined || to === undefined) break
    if (below + count >= wanted) return from + ((wanted - below) / count) * (to - from)
    below += count
  }
  return Number.NaN
}
