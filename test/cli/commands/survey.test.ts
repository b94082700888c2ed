import { expect, it } from 'vitest'
import { SampleError } from '../../../src/base/errors.ts'
import { survey } from '../../../src/cli/commands/dataset/survey.ts'
import type { Adapter, Sample } from '../../../src/dataset/adapter.ts'
import { noTruth } from '../../../src/dataset/images.ts'
import { memoryStore } from '../../support/memoryStore.ts'

const sample = (key: string, more: Partial<Sample> = {}): Sample => ({
  key,
  etag: 'e',
  sizeBytes: 1,
  companions: [],
  ...more,
})

function adapterOf(samples: Iterable<Sample>): Adapter {
  return {
    name: 'test',
    async *samples() {
      yield* samples
    },
    read: async (_dataset, { truth = noTruth }) => {
      if (truth.fault === undefined) return truth
      throw new SampleError('bad-label', truth.fault)
    },
  }
}

it.each([
  [0, 0],
  [7, 7],
  [10, 10],
  [11, 10],
  [19, 10],
  [20, 10],
  [57, 10],
  [12345, 10],
])('of %d samples takes %d, evenly spaced', async (count, taken) => {
  const keys = Array.from({ length: count }, (_, n) => String(n))
  const { samples, chosen, findings } = await survey(adapterOf(keys.map((key) => sample(key))), memoryStore({}), 10)
  expect(samples).toBe(count)
  expect(findings).toEqual([])
  const numbers = chosen.map(({ key }) => Number(key))
  expect(numbers.length).toBe(taken)
  const steps = numbers.slice(1).map((n, index) => n - (numbers[index] ?? 0))
  // Kept by a stride between n/20 and n/10, then taken from these.
  for (const step of steps) expect(step >= count / 20 && step <= Math.max(2, count / 5)).toBe(true)
})

it('counts what the listing shows to be wrong, and chooses none of it', async () => {
  const faulty = { ...noTruth, fault: 'x.mat is missing' }
  const samples = [
    sample('a'),
    sample('b', { truth: faulty }),
    sample('c', { truth: { ...faulty, fault: 'other' } }),
    sample('d', { etag: '' }),
    sample('e/../f'),
    sample('g%.png', { isGarbled: true }),
  ]
  const { chosen, findings } = await survey(adapterOf(samples), memoryStore({}), 10)
  expect(chosen.map(({ key }) => key)).toEqual(['a'])
  expect(findings.map(({ code, count }) => [code, count])).toEqual([
    ['bad-label', 2],
    ['bad-key', 2],
    ['vanished', 1],
  ])
  expect(findings[0]?.example).toEqual({ key: 'b', message: 'x.mat is missing' })
})

it('asks the store once why what an index names is not there', async () => {
  const samples = ['a ', 'b ', 'c '].map((key) => sample(key, { etag: '', truth: noTruth }))
  const store = memoryStore({ a: 'a', b: 'b' })
  const { findings } = await survey(adapterOf(samples), store, 10)
  expect(findings).toMatchObject([{ count: 3, example: { message: expect.stringContaining('and "a" is there') } }])
  expect(store.asked).toEqual(['head a'])
})
