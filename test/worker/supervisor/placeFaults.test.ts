import { expect, onTestFinished, test } from 'vitest'
import { PlaceError } from '../../../src/base/errors.ts'
import { PlaceFaults } from '../../../src/worker/supervisor/placeFaults.ts'

function watched() {
  const calls: string[] = []
  const delays: number[] = []
  const faults = new PlaceFaults({
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
    onFault: (error, attempt, retryInMs) => {
      calls.push(`${error.code} ${attempt}`)
      delays.push(retryInMs)
    },
    onRetry: () => calls.push('retry'),
    retrying: { firstMs: 4, longestMs: 64 },
  })
  onTestFinished(() => faults.close())
  return { faults, calls, delays }
}

const full = new PlaceError('disk-full', 'no space is left')
const gone = new PlaceError('store-gone', 'not mounted')

test('pulling pauses until the re-check passes', async () => {
  const { faults, calls } = watched()
  let checks = 0
  faults.report(full, async () => (++checks < 3 ? gone : undefined))
  expect(faults.isActive).toBe(true)
  await expect.poll(() => calls.at(-1)).toBe('resume')
  expect(calls).toEqual(['pause', 'disk-full 1', 'store-gone 2', 'store-gone 3', 'retry', 'resume'])
  expect(faults.isActive).toBe(false)
})

test('the interval grows over faults in a row, and starts anew after a shard got done', async () => {
  const { faults, calls, delays } = watched()
  for (let i = 0; i < 4; i++) {
    faults.report(full, async () => undefined)
    await expect.poll(() => calls.filter((call) => call === 'resume').length).toBe(i + 1)
  }
  faults.succeeded()
  faults.report(full, async () => undefined)
  // Each pause is its mean of 4, 8, 16, 32 ms and again 4, give or take half.
  expect(delays.length).toBe(5)
  expect(delays[3]).toBeGreaterThanOrEqual(16)
  expect(delays[4]).toBeLessThanOrEqual(6)
})

test('a second fault while one is waited out changes nothing', async () => {
  const { faults, calls } = watched()
  faults.report(full, async () => undefined)
  faults.report(gone, async () => undefined)
  await expect.poll(() => calls.at(-1)).toBe('resume')
  expect(calls).toEqual(['pause', 'disk-full 1', 'retry', 'resume'])
})

test('a worker that ends during the re-check pulls no more', async () => {
  const { faults, calls } = watched()
  faults.report(full, async () => {
    faults.close()
    return undefined
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(calls).toEqual(['pause', 'disk-full 1'])
})
