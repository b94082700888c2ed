import { expect, test } from 'vitest'
import { together } from '../../src/base/together.ts'

test('gives what all of them give, in their order', async () => {
  expect(await together([Promise.resolve('first'), undefined, Promise.resolve(3)])).toEqual(['first', undefined, 3])
})

test('waits for all before it raises, and raises the first in their order', async () => {
  let end = (): void => undefined
  let isOver = false
  const slow = new Promise<void>((resolve) => (end = resolve)).then(() => {
    isOver = true
    throw new Error('the first')
  })
  const all = together([slow, Promise.reject(new Error('the second'))])
  const raised = all.catch((error: unknown) => [error, isOver])
  end()
  expect(await raised).toEqual([new Error('the first'), true])
})
