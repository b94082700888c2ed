import { z } from 'zod'

/**
 * What a run's shards are worth beside those of other runs: all of a higher number are taken before any of a lower one,
 * and runs of one number take turns.
 */
export const runPrioritySchema = z.int().min(-3).max(3)
export const ordinaryPriority = 0
