import { expect, it } from 'vitest'
import { InputError, PlaceError } from '../../src/base/errors.ts'
import { openComputed, openWithinMemory } from '../../src/saliency/batchSize.ts'
import type { Explainer } from '../../src/saliency/explainer.ts'

/** A device that holds so many images, and tells so only when it computes. */
function device(holds: number, imageMs = 10) {
  const opened: number[] = []
  const tried: number[] = []
  let open = 0
  let clock = 0
  const search = {
    largest: 32,
    mayBeSoftware: false,
    onTry: (batch: number) => void tried.push(batch),
    now: () => clock,
  }
  return {
    opened,
    tried,
    search,
    stillOpen: () => open,
    spentMs: () => clock,
    open: (batch: number): Promise<Explainer> => {
      opened.push(batch)
      open++
      return Promise.resolve({
        engine: 'test',
        batch,
        imageBytes: 3,
        explain: () => Promise.reject(new Error('a black picture may give NaN')),
        explainEach: () => {
          clock += imageMs
          return batch > holds ? Promise.reject(new PlaceError('engine-wrong', 'out of memory')) : Promise.resolve([])
        },
        dispose: () => {
          open--
          return Promise.resolve()
        },
      })
    },
  }
}

it.each([
  [100, 32],
  [32, 32],
  [31, 16],
  [3, 2],
  [1, 1],
])('a device that holds %i images gets batches of %i', async (holds, batch) => {
  const gpu = device(holds)
  expect((await openWithinMemory(gpu.open, gpu.search)).batch).toBe(batch)
  expect(gpu.stillOpen()).toBe(1)
  // The one that is kept has computed, too, and so has compiled.
  expect(gpu.spentMs()).toBe(10 * gpu.opened.length)
  expect(gpu.tried).toEqual(gpu.opened.filter((size) => size > 1))
})

it('a batch that ended a process, and larger ones, are not tried again', async () => {
  const gpu = device(100)
  expect((await openWithinMemory(gpu.open, { ...gpu.search, largest: 8 })).batch).toBe(8)
  expect(gpu.opened).toEqual([8])
})

it('a driver in software is left at one image, a GPU that only might be one is not', async () => {
  const [software, gpu] = [device(100, 40_000), device(100, 50)]
  expect((await openWithinMemory(software.open, { ...software.search, mayBeSoftware: true })).batch).toBe(1)
  expect(software.opened).toEqual([1])
  expect((await openWithinMemory(gpu.open, { ...gpu.search, mayBeSoftware: true })).batch).toBe(32)
  expect(gpu.stillOpen()).toBe(1)
})

it('a given batch is computed once before it counts as open, and taken or refused', async () => {
  const gpu = device(8)
  expect((await openComputed(gpu.open, 8)).batch).toBe(8)
  expect(gpu.spentMs()).toBe(10)
  await expect(openComputed(gpu.open, 9)).rejects.toThrow('out of memory')
  expect(gpu.stillOpen()).toBe(1)
})

it('a batch for which a device gives NaN is none that it holds, and one image may be NaN', async () => {
  const gpu = device(100)
  const open = async (batch: number): Promise<Explainer> => ({
    ...(await gpu.open(batch)),
    explainEach: () => Promise.resolve(batch > 4 ? [{ notFinite: 'yaw' }] : []),
  })
  expect((await openWithinMemory(open, gpu.search)).batch).toBe(4)
  expect(gpu.stillOpen()).toBe(1)
  const never = async (batch: number): Promise<Explainer> => ({
    ...(await gpu.open(batch)),
    explainEach: () => Promise.resolve([{ notFinite: 'yaw' }]),
  })
  expect((await openWithinMemory(never, gpu.search)).batch).toBe(1)
  expect(gpu.stillOpen()).toBe(2)
})

it('what is wrong with any batch is raised at once', async () => {
  const { search, tried } = device(1)
  const open = () => Promise.reject(new InputError('bad-option', 'no such objective'))
  await expect(openWithinMemory(open, search)).rejects.toThrow('no such objective')
  expect(tried).toEqual([32])
})
