import type { Range } from './selection.ts'

/** Least and greatest value of a measure. */
export interface Span {
  readonly least: number
  readonly greatest: number
}

/** Bins of a distribution; where all values are the same, one. */
export function binCount({ least, greatest }: Span): number {
  return greatest > least ? 24 : 1
}

/**
 * Where bin `at` of equal bins begins: a float32, as the values themselves are, so that counting the bins and choosing by a
 * bin's range never disagree about what lies on a border.
 */
export function binStart({ least, greatest }: Span, bins: number, at: number): number {
  const width = (greatest - least) / bins
  const start = least + width * at
  // The sum of a negative and a positive number that should be 0 seldom is.
  return Math.abs(start) < width * 1e-6 ? 0 : Math.fround(start)
}

/** The range that holds what is counted in bin `at`: a value on the border of two belongs to the upper one alone. */
export function binRange(span: Span, bins: number, at: number): Range {
  return {
    // Open at both ends: written with fewer digits, they would leave the least or the greatest out.
    from: at === 0 ? null : written(binStart(span, bins, at)),
    to: at === bins - 1 ? null : written(below(binStart(span, bins, at + 1))),
  }
}

/** The next smaller float32; below 0 a number that can be read, for no measure has values between the two. */
function below(value: number): number {
  if (value === 0) return Math.fround(-1e-6)
  const float = new Float32Array([value])
  const bits = new Int32Array(float.buffer)
  bits[0] = (bits[0] ?? 0) + (value > 0 ? -1 : 1)
  return float[0] ?? 0
}

/** As few digits as tell a float32 from its neighbours. */
function written(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return Number(value.toPrecision(9))
}
