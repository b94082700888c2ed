/** Codes of operations by a number that belongs to them, one letter each. */
function byCode(codes: Readonly<Record<number, string>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(codes).flatMap(([number, all]) => all.split('').map((code) => [code, Number(number)])),
  )
}

/** How many bytes of argument an operation of a pickle has. */
const fixed = byCode({ 1: 'Kqh\x80\x82', 2: 'M\x83', 4: 'Jrj\x84', 8: 'G\x95' })
/** How many bytes tell the length of the argument that follows them. */
const counted = byCode({ 1: 'UC\x8c\x8a', 4: 'XTB\x8b', 8: '\x8d\x8e\x96' })
/** How many lines the argument is. */
const lines = byCode({ 1: 'ILFSVpgP', 2: 'ci' })

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
