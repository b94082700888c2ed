export function whole(value: number): string {
  return value.toLocaleString('en-US')
}

export function tenth(value: number): string {
  return value.toFixed(1)
}

export function hundredth(value: number): string {
  return value.toFixed(2)
}

/** With its sign: `+0.25`, `-1.50`, and `0.00` for what rounds to nothing. */
export function signedHundredth(value: number): string {
  const text = value.toFixed(2)
  if (Number(text) === 0) return '0.00'
  return value > 0 ? `+${text}` : text
}

/** The same with a true minus, for pages: `−1.50`. */
export function trueSignedHundredth(value: number): string {
  return signedHundredth(value).replace('-', '−')
}

/** With its sign, a true minus: `+3.1`, `−3.1`, and `0.0` for what rounds to nothing. */
export function signedTenth(value: number): string {
  const text = Math.abs(value).toFixed(1)
  if (Number(text) === 0) return text
  return value > 0 ? `+${text}` : `−${text}`
}

/** A count in at most four characters: `812`, `1k`, `1.2k`, `81k`, `1.2M`. */
export function compact(n: number): string {
  if (n < 1000) return String(n)
  const [value, letter] = n < 999_500 ? [n / 1000, 'k'] : [n / 1_000_000, 'M']
  return `${value.toFixed(value < 9.95 ? 1 : 0).replace('.0', '')}${letter}`
}

/** `2026-11-24T17:00:00.000Z` → `2026-11-24 17:00 UTC`. */
export function minute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`
}
