import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { InputError } from '../../../src/base/errors.ts'
import { ComparisonShelf, type NamedPair } from '../../../src/serve/comparisons/comparisonShelf.ts'
import type { RunningComparison } from '../../../src/serve/comparisons/startComparison.ts'
import type { ComparisonThreadData } from '../../../src/serve/comparisons/threadMessages.ts'
import type { CompareReply } from '../../../src/serve/wire.ts'

/** Comparisons that end when a test says so. Their data are the names of their pairs. */
class Comparisons {
  readonly started: string[] = []
  readonly stopped: string[] = []
  readonly #ends = new Map<string, { done(title: string): void; failed(error: Error): void }>()
  looked = { done: 0, total: 0 }

  readonly start = (data: ComparisonThreadData): RunningComparison => {
    const name = data.output
    this.started.push(name)
    const reply = new Promise<CompareReply>((resolve, reject) => {
      this.#ends.set(name, { done: (title) => resolve({ title } as CompareReply), failed: reject })
    })
    return {
      reply,
      looked: this.looked,
      stop: async () => {
        this.stopped.push(name)
        this.#ends.get(name)?.failed(new Error('stopped'))
        await reply.catch(() => undefined)
      },
    }
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.done(`${name} compared`)
    await vi.advanceTimersByTimeAsync(0)
  }

  async fail(name: string, error: Error): Promise<void> {
    this.#ends.get(name)?.failed(error)
    await vi.advanceTimersByTimeAsync(0)
  }
}

const pair = (name: string): NamedPair => ({ name, data: { output: name } as ComparisonThreadData })

let made: Comparisons
let shelf: ComparisonShelf

beforeEach(() => {
  vi.useFakeTimers()
  made = new Comparisons()
  shelf = new ComparisonShelf(made.start)
})
afterEach(() => vi.useRealTimers())

/** Asks as a browser does, and waits as long as the shelf does. */
async function ask(name: string, find: () => Promise<NamedPair> = async () => pair(name)) {
  const answer = shelf.of(name, find).then(
    (reply) => ('waiting' in reply ? reply.waiting : reply.title),
    (error: Error) => error.message,
  )
  await vi.advanceTimersByTimeAsync(200)
  return answer
}

const behindAnother = { text: 'waiting until another comparison is done', done: 0, total: 0 }

it('says how far it has got until it is done, and keeps what it found', async () => {
  made.looked = { done: 600, total: 1_200 }
  const waiting = { text: 'comparing 1,200 images', done: 600, total: 1_200 }
  expect(await ask('a b')).toEqual(waiting)
  expect(await ask('a b')).toEqual(waiting)
  await made.end('a b')
  expect(await ask('a b')).toBe('a b compared')
  expect(made.started).toEqual(['a b'])
})

it('compares one pair after the other, in the order in which they came', async () => {
  expect(await ask('first')).toMatchObject({ text: 'comparing' })
  expect(await ask('second')).toEqual(behindAnother)
  expect(await ask('third')).toEqual(behindAnother)
  expect(await ask('second')).toEqual(behindAnother)
  expect(made.started).toEqual(['first'])
  await made.end('first')
  expect(made.started).toEqual(['first', 'second'])
  await made.end('second')
  expect(made.started).toEqual(['first', 'second', 'third'])
})

it('compares a pair once for all who ask, however they name it', async () => {
  await ask('SET', async () => pair('SET/RUN'))
  await ask('SET/RUN')
  await made.end('SET/RUN')
  expect([await ask('SET', async () => pair('SET/RUN')), await ask('SET/RUN')]).toEqual([
    'SET/RUN compared',
    'SET/RUN compared',
  ])
  expect(made.started).toEqual(['SET/RUN'])
})

it('looks anew which tables are meant once it is done, not while it goes on', async () => {
  const find = vi.fn<() => Promise<NamedPair>>(async () => pair('tonight'))
  await ask('SET', find)
  await ask('SET', find)
  expect(find).toHaveBeenCalledTimes(1)
  await made.end('tonight')
  find.mockResolvedValue(pair('the night after'))
  expect(await ask('SET', find)).toMatchObject({ text: 'comparing' })
  expect(made.started).toEqual(['tonight', 'the night after'])
})

describe('nobody asks for a minute', () => {
  it('the comparison is stopped, and the next begins', async () => {
    await ask('left')
    await ask('wanted')
    await vi.advanceTimersByTimeAsync(40_000)
    await ask('wanted')
    expect(made.stopped).toEqual([])
    await vi.advanceTimersByTimeAsync(20_000)
    expect(made.stopped).toEqual(['left'])
    expect(made.started).toEqual(['left', 'wanted'])
    await made.end('wanted')
    expect(await ask('left')).toMatchObject({ text: 'comparing' })
  })

  it('one that still waits for others never begins', async () => {
    await ask('first')
    await ask('left')
    for (let seconds = 0; seconds < 90; seconds += 30) {
      await vi.advanceTimersByTimeAsync(30_000)
      await ask('first')
    }
    await made.end('first')
    await vi.advanceTimersByTimeAsync(0)
    expect(made.started).toEqual(['first'])
  })

  it('what is done stays', async () => {
    await ask('a')
    await made.end('a')
    await vi.advanceTimersByTimeAsync(120_000)
    expect(await ask('a')).toBe('a compared')
  })
})

it('keeps the eight that were asked for last', async () => {
  const names = Array.from({ length: 9 }, (_, at) => `pair ${at}`)
  for (const name of names) {
    await ask(name)
    await made.end(name)
    // The first is looked at again and again.
    expect(await ask('pair 0')).toBe('pair 0 compared')
  }
  expect(await ask('pair 2')).toBe('pair 2 compared')
  expect(made.started).toEqual(names)
  expect(await ask('pair 1')).toMatchObject({ text: 'comparing' })
})

it('says once why a pair cannot be compared, then tries again', async () => {
  await ask('a b')
  await made.fail('a b', new InputError('nothing-shared', 'no image is in both tables'))
  expect(await ask('a b')).toBe('no image is in both tables')
  expect(await ask('a b')).toMatchObject({ text: 'comparing' })
  expect(await ask('c', () => Promise.reject(new InputError('no-such-run', 'no such run')))).toBe('no such run')
})

it('stops what goes on when the server ends', async () => {
  await ask('first')
  await ask('second')
  await shelf.close()
  await vi.advanceTimersByTimeAsync(0)
  expect(made.stopped).toEqual(['first'])
  expect(made.started).toEqual(['first'])
})
