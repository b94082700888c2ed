import type { MeasureReader } from './tableArrays.ts'

/**
 * The rows by rising (or falling) value, equal ones by row, those without a value (NaN) last in either order. A stable
 * radix sort over the bits of the floats: four times as fast as comparing, and the rows come out, not the values.
 */
export function sortOrder(rows: number, valueOf: MeasureReader, isDescending: boolean): Uint32Array {
  const ranks = new Uint32Array(rows)
  const bits = new Uint32Array(1)
  const float = new Float32Array(bits.buffer)
  for (let row = 0; row < rows; row++) {
    // Adding 0 makes −0 the same as 0.
    const value = valueOf(row) + 0
    if (value !== value) {
      ranks[row] = 0xffff_ffff
      continue
    }
    float[0] = value
    const raw = bits[0] ?? 0
    // Bits of positive floats rise with the value, those of negative ones fall.
    const rising = raw & 0x8000_0000 ? ~raw : raw | 0x8000_0000
    ranks[row] = isDescending ? ~rising : rising
  }
  const byLow = sortedBy(ranks, undefined, 0)
  return sortedBy(ranks, byLow, 16)
}

function sortedBy(ranks: Uint32Array, order: Uint32Array | undefined, shift: 0 | 16): Uint32Array {
  const starts = new Uint32Array(0x1_0001)
  for (let row = 0; row < ranks.length; row++) {
    const digit = ((ranks[row] ?? 0) >>> shift) & 0xffff
    starts[digit + 1] = (starts[digit + 1] ?? 0) + 1
  }
  for (let digit = 0; digit < 0x1_0000; digit++) starts[digit + 1] = (starts[digit + 1] ?? 0) + (starts[digit] ?? 0)
  const sorted = new Uint32Array(ranks.length)
  for (let i = 0; i < ranks.length; i++) {
    const row = order === undefined ? i : (order[i] ?? 0)
    const digit = ((ranks[row] ?? 0) >>> shift) & 0xffff
    const place = starts[digit] ?? 0
    sorted[place] = row
    starts[digit] = place + 1
  }
  return sorted
}
