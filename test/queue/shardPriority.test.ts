import { expect, test } from 'vitest'
import { asidePriority, placeOf, shardPriority } from '../../src/queue/shardPriority.ts'

const runPriorities = [3, 2, 1, 0, -1, -2, -3]

test('the numbers of each run priority lie behind those of the next higher one, within what BullMQ takes', () => {
  const ends = runPriorities.flatMap((run) => [shardPriority(run, 1), shardPriority(run, 10_000_000)])
  expect(ends).toEqual(ends.toSorted((a, b) => a - b))
  expect(new Set(ends).size).toBe(ends.length)
  expect(ends[0]).toBe(1)
  expect(ends.at(-1)).toBeLessThan(asidePriority)
  expect(asidePriority).toBe(2_097_151)
})

test('a place is found again in its number, and not in those of other run priorities', () => {
  for (const [i, run] of runPriorities.entries()) {
    for (const place of [1, 50_000]) expect(placeOf(run, shardPriority(run, place))).toBe(place)
    for (const higher of runPriorities.slice(0, i)) expect(placeOf(run, shardPriority(higher, 7))).toBeLessThan(1)
    for (const lower of runPriorities.slice(i + 1)) expect(placeOf(run, shardPriority(lower, 7))).toBeUndefined()
    expect(placeOf(run, asidePriority)).toBeUndefined()
  }
})

test('there is room for ordinary runs over four hundred million images that never leave the queue empty', () => {
  const shards = 400_000_000 / 256
  expect(shardPriority(0, shards + 1)).toBe(shardPriority(0, shards) + 1)
})
