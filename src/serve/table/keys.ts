import type { TableArrays } from './tableArrays.ts'

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The key of a row. */
export function keyAt({ keys, keyEnds }: TableArrays, row: number): string {
  return decoder.decode(keys.subarray(row === 0 ? 0 : keyEnds[row - 1], keyEnds[row]))
}

/** The row of a key; −1 when there is none. Rows are sorted by the bytes of their keys. */
export function rowOfKey(table: TableArrays, key: string): number {
  const wanted = encoder.encode(key)
  let [from, to] = [0, table.rows]
  while (from < to) {
    const middle = (from + to) >>> 1
    const order = Buffer.compare(
      table.keys.subarray(middle === 0 ? 0 : table.keyEnds[middle - 1], table.keyEnds[middle]),
      wanted,
    )
    if (order === 0) return middle
    if (order < 0) from = middle + 1
    else to = middle
  }
  return -1
}

/**
 * Calls back with each row whose key contains the text, in order. Capitals of ASCII count as small letters, and of nothing
 * else: folding all of Unicode would take a copy of every key. One pass over the bytes of all keys.
 */
export function rowsContaining({ keys, keyEnds, rows }: TableArrays, text: string, found: (row: number) => void): void {
  const needle = encoder.encode(text).map(smallLetter)
  const first = needle[0]
  if (first === undefined) return
  let begin = 0
  for (let row = 0; row < rows; row++) {
    const end = keyEnds[row] ?? 0
    const last = end - needle.length
    search: for (let at = begin; at <= last; at++) {
      if (small[keys[at] ?? 0] !== first) continue
      for (let i = 1; i < needle.length; i++) if (small[keys[at + i] ?? 0] !== needle[i]) continue search
      found(row)
      break
    }
    begin = end
  }
}

function smallLetter(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte
}

const small = Uint8Array.from({ length: 256 }, (_, byte) => smallLetter(byte))
