import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { Waiting } from '../../../src/serve/wire.ts'

// What runs in the browser is type-checked apart from the tests, which know of no document.
type Ask = (
  address: string,
  signal: AbortSignal,
  onWaiting?: (waiting: Waiting['waiting']) => void,
) => Promise<{ readonly here: number }>
let ask: Ask

const asksAgain = 'the store does not answer at the moment; asking again'
const fetched = vi.fn<(url: string) => Promise<Response>>()

const answer = () => Response.json({ here: 1 })
const waiting = (text: string) => Response.json({ waiting: { text, done: 1, total: 2 } }, { status: 202 })
const refused = (status: number, retryAfter?: string) =>
  Response.json(
    { error: { code: 'store-busy', message: 'cannot read the table: it asks for patience' } },
    { status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } },
  )
const answers = (...responses: readonly Response[]) => {
  for (const response of responses) fetched.mockResolvedValueOnce(response)
}

beforeAll(async () => {
  vi.stubGlobal('document', { querySelector: () => null })
  const module: unknown = await import(new URL('../../../src/serve/client/ask.ts', import.meta.url).href)
  ask = (module as { readonly ask: Ask }).ask
})
beforeEach(() => {
  vi.useFakeTimers()
  fetched.mockReset()
  vi.stubGlobal('fetch', fetched)
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Asks, and tells how it went once it is over. */
function asked(signal = new AbortController().signal) {
  const told: string[] = []
  const outcome = ask('/api/sets', signal, ({ text }) => told.push(text)).then(
    ({ here }) => `answer ${here}`,
    (error: Error) => error.message,
  )
  return { told, outcome }
}

it('asks again while a store is busy, and says so', async () => {
  answers(refused(503, '1'), refused(503, '1'), answer())
  const { told, outcome } = asked()
  await vi.runAllTimersAsync()
  expect(await outcome).toBe('answer 1')
  expect(told).toEqual([asksAgain, asksAgain])
})

it('waits for as long as the server says at least, and longer each time', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
  answers(...Array.from({ length: 5 }, () => refused(503, '2')))
  const { outcome } = asked()
  const pauses: number[] = []
  for (let count = 1; count < 5; count++) {
    const before = performance.now()
    await vi.advanceTimersToNextTimerAsync()
    pauses.push(performance.now() - before)
    expect(fetched).toHaveBeenCalledTimes(count + 1)
  }
  expect(pauses).toEqual([2_500, 3_000, 4_000, 6_000])
  expect(await outcome).toBe('cannot read the table: it asks for patience')
})

it('gives up after five tries, in which a store is asked for some 20 s', async () => {
  fetched.mockImplementation(async () => refused(503, '1'))
  const { outcome, told } = asked()
  const before = performance.now()
  await vi.runAllTimersAsync()
  expect(await outcome).toBe('cannot read the table: it asks for patience')
  expect(fetched).toHaveBeenCalledTimes(5)
  expect(told).toHaveLength(4)
  expect(performance.now() - before).toBeGreaterThan(11_000)
  expect(performance.now() - before).toBeLessThan(27_000)
})

it('does not begin to count anew when an answer begins to take a while', async () => {
  for (let round = 0; round < 5; round++) answers(waiting('reading the table'), refused(503, '1'))
  const { outcome, told } = asked()
  await vi.runAllTimersAsync()
  expect(await outcome).toBe('cannot read the table: it asks for patience')
  expect(told.slice(0, 4)).toEqual(['reading the table', asksAgain, 'reading the table', asksAgain])
})

it.each([
  ['another status', () => refused(500, '1')],
  ['503 that says nothing of another time', () => refused(503)],
  ['503 of a service that will be away for long', () => refused(503, '120')],
  ['a time that is no number of seconds', () => refused(503, 'Wed, 21 Oct 2037 07:28:00 GMT')],
])('says at once what is refused with %s', async (_, refusal) => {
  answers(refusal())
  const { outcome, told } = asked()
  expect(await outcome).toBe('cannot read the table: it asks for patience')
  expect(told).toEqual([])
})

it.each([
  ['an answer that takes a while', () => waiting('reading the table')],
  ['a store that is busy', () => refused(503, '1')],
])('ends at once while it waits for %s, and leaves nothing behind', async (_, response) => {
  const abort = new AbortController()
  const removed = vi.spyOn(abort.signal, 'removeEventListener')
  const added = vi.spyOn(abort.signal, 'addEventListener')
  answers(response())
  const { outcome, told } = asked(abort.signal)
  await vi.waitFor(() => expect(told).toHaveLength(1))
  abort.abort(new Error('the reader went on'))
  expect(await outcome).toBe('the reader went on')
  expect(fetched).toHaveBeenCalledTimes(1)
  expect(removed).toHaveBeenCalledTimes(added.mock.calls.length)
})

it('leaves no listener on a signal that lives on', async () => {
  const { signal } = new AbortController()
  const added = vi.spyOn(signal, 'addEventListener')
  const removed = vi.spyOn(signal, 'removeEventListener')
  answers(refused(503, '1'), waiting('reading the table'), answer())
  const { outcome } = asked(signal)
  await vi.runAllTimersAsync()
  expect(await outcome).toBe('answer 1')
  expect(added).toHaveBeenCalledTimes(2)
  expect(removed).toHaveBeenCalledTimes(2)
})

it('tells nothing more once it is given up, though the answer has come', async () => {
  const abort = new AbortController()
  fetched.mockImplementation(async () => {
    abort.abort(new Error('the reader went on'))
    return refused(503, '1')
  })
  const { outcome, told } = asked(abort.signal)
  expect(await outcome).toBe('the reader went on')
  expect(told).toEqual([])
})
