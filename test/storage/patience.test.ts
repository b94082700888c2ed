import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { InputError, TransientError } from '../../src/base/errors.ts'
import { Patience } from '../../src/storage/patience.ts'
import { PatientStore } from '../../src/storage/patientStore.ts'
import type { ObjectInfo, Store } from '../../src/storage/store.ts'
import { memoryStore } from '../support/memoryStore.ts'

const busy = () => new TransientError('store-busy', 'the store is busy')
const store = { uri: 's3://bucket/out/' }

describe('patience', () => {
  let said: (string | undefined)[]
  let stop: AbortController
  let patience: Patience

  beforeEach(() => {
    vi.useFakeTimers()
    // In the middle of its range: no jitter.
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    said = []
    stop = new AbortController()
    patience = new Patience({ signal: stop.signal, say: (message) => said.push(message) })
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  /** Fails until the clock shows so many seconds. */
  function awayFor(seconds: number) {
    const until = performance.now() + seconds * 1_000
    const calls: number[] = []
    const began = performance.now()
    const call = async () => {
      calls.push(Math.round((performance.now() - began) / 1_000))
      if (performance.now() < until) throw busy()
      return 'answer'
    }
    return { call, calls }
  }

  it('repeats at growing intervals, says so before each, and says when it is over', async () => {
    const { call, calls } = awayFor(200)
    const answer = patience.call(store, call)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(await answer).toBe('answer')
    expect(calls).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243])
    expect(said.slice(0, 2)).toEqual([
      's3://bucket/out/ does not answer (store-busy): trying again in 1 s',
      's3://bucket/out/ does not answer (store-busy): trying again in 2 s',
    ])
    expect(said).toHaveLength(10)
    expect(said.at(-1)).toBeUndefined()
  })

  it('spreads callers out', async () => {
    vi.mocked(Math.random).mockReturnValueOnce(0).mockReturnValueOnce(0.999)
    const { call, calls } = awayFor(3)
    const answer = patience.call(store, call)
    await vi.advanceTimersByTimeAsync(60_000)
    await answer
    // Half of one second, then one and a half times two.
    expect(calls).toEqual([0, 1, 3])
  })

  it('gives up after a quarter of an hour in a row, and says what to do', async () => {
    const { call, calls } = awayFor(Infinity)
    const refused = patience.call(store, call).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(await refused).toMatchObject({
      name: 'TransientError',
      code: 'store-busy',
      message: 'the store is busy; tried for 15 minutes: start the same command again when the store answers',
    })
    expect(calls.at(-1)).toBe(900)
  })

  it('ends at once when it is told to, and on whatever does not pass', async () => {
    const refused = patience.call(store, awayFor(Infinity).call).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(100_000)
    stop.abort(new Error('interrupted'))
    expect(await refused).toMatchObject({ message: 'interrupted' })
    expect(vi.getTimerCount()).toBe(0)
    const denied = new InputError('access-denied', 'no')
    await expect(new Patience({ ...optionsOf(said) }).call(store, () => Promise.reject(denied))).rejects.toBe(denied)
  })

  it('speaks with one voice when several calls wait', async () => {
    const answers = Promise.all([patience.call(store, awayFor(5).call), patience.call(store, awayFor(5).call)])
    await vi.advanceTimersByTimeAsync(60_000)
    await answers
    expect(said.map((message) => message?.replace(/^.*again/, ''))).toEqual([
      ' in 1 s',
      ' in 2 s',
      ' in 4 s',
      undefined,
    ])
  })
})

function optionsOf(said: (string | undefined)[]) {
  return { signal: new AbortController().signal, say: (message: string | undefined) => void said.push(message) }
}

describe('a patient store', () => {
  const times = { firstMs: 1, longestMs: 1, limitMs: 60_000 }
  const patient = (inner: Store) => new PatientStore(inner, new Patience({ ...optionsOf([]), times }))

  it('goes on with a listing after the last key that it gave', async () => {
    const asked: (string | undefined)[] = []
    const store = patient({
      ...memoryStore({}),
      list: async function* (options): AsyncIterable<ObjectInfo> {
        asked.push(options?.after)
        const rest = ['a', 'b', 'c', 'd'].filter((key) => key > (options?.after ?? ''))
        for (const key of rest) {
          if (key === 'c' && asked.length < 4) throw busy()
          yield { key, etag: '1', sizeBytes: 1 }
        }
      },
    })
    const keys: string[] = []
    for await (const { key } of store.list({ prefix: '' })) keys.push(key)
    expect(keys).toEqual(['a', 'b', 'c', 'd'])
    expect(asked).toEqual([undefined, 'b', 'b', 'b'])
  })

  it('repeats the calls of a writer one by one', async () => {
    const taken: string[] = []
    let failures = 0
    const call = async (what: string) => {
      if (failures++ % 2 === 0) throw busy()
      taken.push(what)
      return what
    }
    const writer = patient({
      ...memoryStore({}),
      write: () => ({
        append: async (bytes) => void (await call(Buffer.from(bytes).toString())),
        commit: () => call('commit'),
        discard: async () => void taken.push('discard'),
      }),
    }).write('key')
    for (const piece of ['a', 'b']) await writer.append(Buffer.from(piece))
    expect(await writer.commit()).toBe('commit')
    await writer.discard()
    expect(taken).toEqual(['a', 'b', 'commit', 'discard'])
  })

  it('knows its own conditional write again when the answer was lost, and only then', async () => {
    const memory = memoryStore({})
    let lost = 1
    const store = patient({
      ...memory,
      put: async (key, bytes, options) => {
        if (options?.ifAbsent === true && memory.objects.has(key)) return false
        memory.objects.set(key, bytes)
        if (lost-- > 0) throw busy()
        return (await memory.head(key))?.etag ?? ''
      },
    })
    const etag = await store.put('hold', 'owner 1', { ifAbsent: true })
    expect(etag).toBe((await memory.head('hold'))?.etag)
    expect(await store.put('hold', 'owner 1', { ifAbsent: true })).toBe(false)
  })
})
