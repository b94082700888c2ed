/** For each of `count` pixel centres, the two neighbouring cells of `cells` and the share of the second. */
export function samplePoints(count: number, cells: number): { first: number; second: number; share: number }[] {
  return Array.from({ length: count }, (_, index) => {
    const place = Math.min(cells - 1, Math.max(0, ((index + 0.5) * cells) / count - 0.5))
    const first = Math.floor(place)
    return { first, second: Math.min(first + 1, cells - 1), share: place - first }
  })
}

/** A square map of `side` × `side` as `wanted` × `wanted` numbers, smoothly; row-major. */
export function enlarge(map: Float64Array, side: number, wanted: number): Float64Array {
  const points = samplePoints(wanted, side)
  const result = new Float64Array(wanted * wanted)
  let at = 0
  for (const row of points) {
    const above = row.first * side
    const below = row.second * side
    for (const column of points) {
      const top = mix(map[above + column.first] ?? 0, map[above + column.second] ?? 0, column.share)
      const bottom = mix(map[below + column.first] ?? 0, map[below + column.second] ?? 0, column.share)
      result[at++] = mix(top, bottom, row.share)
    }
  }
  return result
}

export function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share
}
