/** 0.975 quantiles of Student's t with 1 to 30 degrees of freedom. */
const tQuantiles = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604, 2.1448, 2.1314,
  2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
] as const

/** 0.975 quantile of the normal distribution. */
export const normalQuantile = 1.959963984540054

/**
 * The share of bootstrap means below the lower end of a 95 % interval, and above its upper end: 0.025 of very many
 * clusters, less of few. The plain percentiles are too narrow there by √((n − 1)/n), and know nothing of Student's t; this
 * is the expanded percentile interval of Hesterberg (What Teachers Should Know About the Bootstrap, 2015).
 *
 * @param clusters at least 2
 */
export function expandedTail(clusters: number): number {
  return normalTail(Math.sqrt(clusters / (clusters - 1)) * tQuantile(clusters - 1))
}

/** Beyond the table by the first terms of its expansion in 1/freedom (Fisher and Cornish 1960), right to 1e-4. */
function tQuantile(freedom: number): number {
  const z = normalQuantile
  return (
    tQuantiles[freedom - 1] ??
    z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2)
  )
}

/** The share of the normal distribution above z ≥ 0, to 7.5e-8 (Abramowitz and Stegun 1964, 26.2.17). */
function normalTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
}
