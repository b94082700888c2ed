/** Null for an empty cell, NaN for one that is no number. */
export function cellNumber(cell: unknown): number | null {
  if (cell === undefined || cell === null) return null
  if (typeof cell === 'number') return cell + 0
  if (typeof cell !== 'string') return NaN
  const text = cell.trim()
  if (text === '') return null
  // Number() would also take 0x10 and Infinity.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) + 0 : NaN
}
