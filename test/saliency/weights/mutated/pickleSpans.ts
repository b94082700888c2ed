/** How many bytes of argument an operation of a pickle has, by its code. */
const fixed: Readonly<Record<string, number>> = {
  ...{ K: 1, M: 2, J: 4, G: 8, q: 1, r: 4, h: 1, j: 4 },
  ...{ '\x80': 1, '\x95': 8, '\x82': 1, '\x83': 2, '\x84': 4 },
}
/** How many bytes tell the length of the argument that follows them. */
const counted: Readonly<Record<string, number>> = {
  ...{ X: 4, T: 4, B: 4, U: 1, C: 1 },
  ...{ '\x8c': 1, '\x8d': 8, '\x8e': 8, '\x96': 8, '\x8a': 1, '\x8b': 4 },
}
/** How many lines the argument is. */
const lines: Readonly<Record<string, number>> = { c: 2, i: 2, I: 1, L: 1, F: 1, S: 1, V: 1, p: 1, g: 1, P: 1 }

/** One operation of a pickle with its argument. */
export interface Span {
  readonly code: string
  readonly start: number
  readonly end: number
}

/** The operations of the pickle that begins at `from`, its STOP the last. */
export function pickleSpans(bytes: Buffer, from = 0): Span[] {
  const spans: Span[] = []
  let at = from
  while (at < bytes.length) {
    const start = at
    const code = String.fromCharCode(bytes[at++] ?? 0)
    at += fixed[code] ?? 0
    const width = counted[code]
    if (width !== undefined) at += width + bytes.readUIntLE(at, Math.min(width, 6))
    for (let left = lines[code] ?? 0; left > 0; left--) {
      const end = bytes.indexOf('\n', at)
      if (end < 0) throw new Error('a line of the pickle has no end')
      at = end + 1
    }
    spans.push({ code, start, end: at })
    if (code === '.') return spans
  }
  throw new Error('the pickle has no end')
}
