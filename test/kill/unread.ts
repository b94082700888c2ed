import type { Random } from './random.ts'

/**
 * For programs whose output is closed early: after how many characters their reader goes, anew at each start. None reads
 * the first line of `headlight … 2>&1 | head -1` always; some are gone before anything is said.
 */
export const readersOf = (random: Random) => (): number => (random.unit() < 0.3 ? 0 : random.integer(1, 600))

/** Whatever a program that nobody read ended with, a bad day of the store or of Redis may be the cause: it said so to nobody. */
export const mayBeBorne = (code: number | null, wasBadDay: boolean): boolean => wasBadDay && (code === 1 || code === 2)
