/** Nearest integer, halves to the even one, as Python's `round` and IEEE 754 do it; `Math.round` takes 0.5 to 1. */
export function roundHalfToEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1
  return below % 2 === 0 ? below : below + 1
}
