import { expect, it } from 'vitest'
import { aheadOf } from '../../src/base/aheadOf.ts'
import { collected } from '../support/producerWorld.ts'

it('keeps the order of the items, and so many under way beyond the one that is waited for', async () => {
  const ends: (() => void)[] = []
  const all = aheadOf(2, [0, 1, 2, 3, 4], (item) => new Promise<number>((resolve) => ends.push(() => resolve(item))))
  const first = all.next()
  await expect.poll(() => ends.length).toBe(3)
  ends[2]?.()
  ends[1]?.()
  ends[0]?.()
  expect((await first).value).toBe(0)
  const rest = collected(all)
  await expect.poll(() => ends.length).toBe(5)
  for (const end of ends) end()
  expect(await rest).toEqual([1, 2, 3, 4])
})

it('raises the first failure in the order of the items, and leaves none behind unheard', async () => {
  const failing = async (item: number): Promise<number> => {
    if (item > 0) throw new Error(`${item}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
    return item
  }
  await expect(collected(aheadOf(3, [0, 1, 2], failing))).rejects.toThrow('1')
})
