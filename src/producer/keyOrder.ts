/**
 * Order of the UTF-8 bytes of two keys, as stores list them. JavaScript's `<` orders by UTF-16 units and swaps
 * U+FF5E and U+1F600: the two orders differ only where a surrogate meets a unit above the surrogates.
 */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates (U+D800 … U+DFFF) stand for code points above all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
