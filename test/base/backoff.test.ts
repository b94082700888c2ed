import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoffMs, pause, type Backoff } from '../../src/base/backoff.ts'

const retrying: Backoff = { firstMs: 100, longestMs: 5_000 }

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('backoff', () => {
  it('doubles from the first attempt, number 1, until it is at its longest', () => {
    // In the middle of its range: the means.
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const means = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => backoffMs(retrying, attempt))
    expect(means).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  })

  it('stays at its longest for ever', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    for (const attempt of [100, 10_000, Number.MAX_SAFE_INTEGER]) expect(backoffMs(retrying, attempt)).toBe(5_000)
  })

  it('takes between half and one and a half of the mean, the longest included', () => {
    const random = vi.spyOn(Math, 'random')
    for (const [attempt, mean] of [
      [1, 100],
      [20, 5_000],
    ] as const) {
      random.mockReturnValueOnce(0)
      expect(backoffMs(retrying, attempt)).toBe(mean / 2)
      random.mockReturnValueOnce(1 - Number.EPSILON)
      expect(backoffMs(retrying, attempt)).toBeCloseTo(mean * 1.5)
    }
  })

  it('spreads callers over its whole range, with the mean that the policy states', () => {
    const drawn = Array.from({ length: 10_000 }, () => backoffMs(retrying, 2))
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...drawn)).toBeLessThan(300)
    // Ten standard errors: 200 / √12 / √10,000 is 0.6.
    expect(Math.abs(drawn.reduce((sum, ms) => sum + ms) / drawn.length - 200)).toBeLessThan(6)
    const fifths = new Set(drawn.map((ms) => Math.floor((ms - 100) / 40)))
    expect(fifths).toEqual(new Set([0, 1, 2, 3, 4]))
  })
})

describe('a pause', () => {
  beforeEach(() => void vi.useFakeTimers())

  function watched(started: Promise<void>) {
    const seen = { isOver: false }
    void started.then(() => (seen.isOver = true))
    return seen
  }

  it('takes its time, and listens to its signal no longer', async () => {
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    const seen = watched(pause(1_000, { signal }))
    await vi.advanceTimersByTimeAsync(999)
    expect(seen.isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(seen.isOver).toBe(true)
    expect(removed).toHaveBeenCalledOnce()
  })

  it('ends at once when its signal is aborted, and leaves no timer', async () => {
    const stop = new AbortController()
    const seen = watched(pause(1_000, { signal: stop.signal }))
    await vi.advanceTimersByTimeAsync(10)
    expect(seen.isOver).toBe(false)
    stop.abort(new Error('interrupted'))
    await vi.advanceTimersByTimeAsync(0)
    expect(seen.isOver).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not begin when its signal was aborted before', async () => {
    await pause(1_000, { signal: AbortSignal.abort() })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keeps a process alive unless told otherwise', () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    void pause(1_000)
    void pause(1_000, { ref: false })
    const kept = timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())
    expect(kept).toEqual([true, false])
  })
})

describe('the only one', () => {
  /** What draws at random, other than the backoff, and why. */
  const drawing = new Map([
    ['base/backoff.ts', 'the one jitter rule'],
    ['storage/atomicWrite.ts', 'polls for a lock that is held for three system calls, at no growing intervals'],
    ['worker/supervisor/shardJobs.ts', 'spreads the return of a paused run’s jobs, which have not failed'],
  ])
  /** A time raised to a power or multiplied by one, and a time made from itself under an upper bound. */
  const growing = [/Ms\b.*\*\*|\*\*.*Ms\b/, /\b(\w+Ms) = Math\.min\(.*\b\1\b/]

  async function sources() {
    const folder = join(import.meta.dirname, '../../src')
    const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.ts'))
    return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })))
  }

  it('no other file has jitter of its own', async () => {
    const found = (await sources()).filter(({ text }) => text.includes('Math.random')).map(({ path }) => path)
    expect(found.toSorted()).toEqual([...drawing.keys()])
  })

  it('no other file makes pauses grow', async () => {
    const lines = (await sources()).flatMap(({ path, text }) =>
      text.split('\n').map((line) => ({ path, line: line.trim() })),
    )
    const found = lines.filter(
      ({ line }) => !/^(\/\*\*|\*|\/\/)/.test(line) && growing.some((pattern) => pattern.test(line)),
    )
    expect(found.map(({ path }) => path)).toEqual(['base/backoff.ts'])
  })

  it.each([
    'const backoffMs = (times: number) => Math.min(5_000, 50 * 2 ** Math.min(times, 10))',
    'const delayMs = Math.min(longestMs, firstMs * 2 ** (times - 1))',
    'for (let pauseMs = 20; ; pauseMs = Math.min(500, pauseMs * 1.5)) {',
  ])('would find %s', (line) => {
    expect(growing.some((pattern) => pattern.test(line))).toBe(true)
  })
})
