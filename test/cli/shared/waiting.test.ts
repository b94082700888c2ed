import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Call } from '../../../src/cli/command.ts'
import { whileWaiting } from '../../../src/cli/shared/waiting.ts'

let written: string[]
beforeEach(() => {
  written = []
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function call(quiet = false): Call {
  const parts = { settings: { quiet }, display: { write: (line: string) => written.push(line) } }
  return parts as unknown as Call
}

it('says what is waited for once it takes more than a moment', async () => {
  const waited = whileWaiting(
    call(),
    'Redis at redis://queue:6379',
    new Promise((resolve) => setTimeout(resolve, 9_000)),
  )
  await vi.advanceTimersByTimeAsync(1_900)
  expect(written).toEqual([])
  await vi.advanceTimersByTimeAsync(10_000)
  await waited
  expect(written).toEqual(['waiting for Redis at redis://queue:6379 …'])
})

it('says nothing of what is there at once, nor when it shall be quiet', async () => {
  expect(await whileWaiting(call(), 'x', Promise.resolve('answer'))).toBe('answer')
  await expect(whileWaiting(call(), 'x', Promise.reject(new Error('refused')))).rejects.toThrow('refused')
  expect(vi.getTimerCount()).toBe(0)
  const waited = whileWaiting(call(true), 'x', new Promise((resolve) => setTimeout(resolve, 9_000)))
  await vi.advanceTimersByTimeAsync(10_000)
  await waited
  expect(written).toEqual([])
})
