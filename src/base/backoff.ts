/** `first · 2^(attempt − 1)`, at most `longest`, times a random factor of 0.5 to 1.5 so that callers spread out. */
export function backoffMs(firstMs: number, attempt: number, longestMs: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), longestMs) * (0.5 + Math.random())
}
