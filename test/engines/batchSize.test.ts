import { expect, it } from 'vitest'
import { openWithinMemory } from '../../src/saliency/batchSize.ts'
import type { Explainer } from '../../src/saliency/explainer.ts'

/** A device that holds so many images, and tells so only when it computes. */
function device(holds: number) {
  const opened: number[] = []
  let open = 0
  return {
    opened,
    stillOpen: () => open,
    open: (batch: number): Promise<Explainer> => {
      opened.push(batch)
      open++
      return Promise.resolve({
        engine: 'test',
        batch,
        imageBytes: 3,
        explain: () => (batch > holds ? Promise.reject(new Error('out of memory')) : Promise.resolve([])),
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
  const tried = device(holds)
  expect((await openWithinMemory(tried.open)).batch).toBe(batch)
  expect(tried.stillOpen()).toBe(1)
})

it('what fails with one image fails', async () => {
  await expect(openWithinMemory(() => Promise.reject(new Error('no such engine')))).rejects.toThrow('no such engine')
})
