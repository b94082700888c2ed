export function whole(value: number): string {
  return value.toLocaleString('en-US')
}

export function tenth(value: number): string {
  return value.toFixed(1)
}

export function hundredth(value: number): string {
  return value.toFixed(2)
}

/** `2026-11-24T17:00:00.000Z` → `2026-11-24 17:00 UTC`. */
export function minute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`
}
