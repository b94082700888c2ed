import { ordinaryPriority } from '../base/runPriority.ts'

/** BullMQ takes the smallest of its numbers first; this is its largest. */
const largest = 2 ** 21 - 1
/** Few runs are not ordinary, and ordinary ones should not run out of places. */
const places = 2 ** 16

/**
 * For a shard that a worker puts aside because its run is paused: behind all others, or whoever takes a shard would be
 * handed those of paused runs again and again. Its producer gives it a place again when the run is resumed.
 */
export const asidePriority = largest

/** Where the numbers of a run priority begin. The next lower one's begin where they end. */
const start = (runPriority: number): number =>
  runPriority >= ordinaryPriority ? (3 - runPriority) * places : largest - (4 + runPriority) * places

/** The number of the shard at this place, from 1 on. Beyond the last place all have the same, and go as they came. */
export const shardPriority = (runPriority: number, place: number): number =>
  Math.min(start(runPriority) + place, start(runPriority - 1) - 1)

/** The place that a number stands for; not positive where a higher run priority has it, undefined where a lower one has. */
export function placeOf(runPriority: number, priority: number): number | undefined {
  return priority < start(runPriority - 1) ? priority - start(runPriority) : undefined
}
