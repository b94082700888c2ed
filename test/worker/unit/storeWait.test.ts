import { expect, test, vi } from 'vitest'
import { StoreWait } from '../../../src/worker/unit/storeWait.ts'

test('a store that answers soon is not mentioned, one that hangs is, until the last call is over', () => {
  vi.useFakeTimers()
  try {
    const told: boolean[] = []
    const wait = new StoreWait((isWaiting) => told.push(isWaiting), 1_000)
    wait.changed(1)
    vi.advanceTimersByTime(999)
    wait.changed(-1)
    vi.advanceTimersByTime(5_000)
    expect(told).toEqual([])
    wait.changed(1)
    wait.changed(1)
    vi.advanceTimersByTime(1_000)
    wait.changed(-1)
    expect(told).toEqual([true])
    wait.changed(-1)
    expect(told).toEqual([true, false])
  } finally {
    vi.useRealTimers()
  }
})
