import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { TransientError } from '../../src/base/errors.ts'
import { changeFlags } from '../../src/output/flags.ts'
import { layout, shardName } from '../../src/output/layout.ts'
import type { Shard } from '../../src/output/manifest.ts'
import { Following, type FollowOptions } from '../../src/producer/follow.ts'
import { Shards } from '../../src/producer/shards.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { World } from '../support/producerWorld.ts'

const times = { pollMs: 5, retrying: { firstMs: 40, longestMs: 100 }, lonelyMs: 0 }
const header = { schema: 1 as const, part: 0, through: 'z', count: 60, shardSize: 2, unchanged: 0, gone: [] }

let world: World
let shards: Shards
beforeEach(async () => {
  world = await World.make()
  shards = new Shards(world.output, 'set', 'run')
})
afterEach(() => world.remove())

/** A queue that can lose its jobs and go away. */
class FakeQueue {
  readonly jobs = new Set<string>()
  readonly added: string[][] = []
  readonly anew: boolean[] = []
  promotions = 0
  reclaims = 0
  delayedReclaims = 0
  workerCount = 1
  isAway = false

  async add(given: readonly Shard[], { anew = false } = {}): Promise<void> {
    this.#answer()
    this.anew.push(anew)
    const names = given.map(({ part, offset }) => shardName(part, offset))
    this.added.push(names)
    for (const name of names) this.jobs.add(name)
  }

  async promote(): Promise<void> {
    this.#answer()
    this.promotions++
  }

  async reclaim({ delayed = false } = {}): Promise<void> {
    this.#answer()
    this.reclaims++
    if (delayed) this.delayedReclaims++
  }

  async unknown(given: readonly Shard[]): Promise<Shard[]> {
    this.#answer()
    return given.filter(({ part, offset }) => !this.jobs.has(shardName(part, offset)))
  }

  async workers(): Promise<number> {
    this.#answer()
    return this.workerCount
  }

  #answer(): void {
    if (this.isAway) throw new TransientError('queue-lost', 'Redis is away')
  }
}

function follow(queue: FakeQueue, changes: Partial<FollowOptions> = {}) {
  const messages: (string | undefined)[] = []
  const following = new Following({
    output: world.output,
    set: 'set',
    run: 'run',
    shards,
    queue,
    isListed: () => true,
    signal: AbortSignal.timeout(20_000),
    onMessage: (message) => messages.push(message),
    lonelyMessage: 'no worker',
    onRecordsListed: () => undefined,
    times,
    ...changes,
  })
  return { following, messages }
}

async function commit(names: Iterable<string>): Promise<void> {
  for (const name of names) await world.output.put(`${layout.records('set', 'run')}${name}.jsonl`, '{}')
}

describe('following a run', () => {
  it('says while no worker is there, unless one comes with the run', async () => {
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    queue.workerCount = 0
    const { following, messages } = follow(queue)
    const own = follow(queue, { lonelyMessage: null })
    const ends = Promise.all([following.end(), own.following.end()])
    await expect.poll(() => messages).toEqual(['no worker'])
    await changeFlags(world.output, 'set', 'run', { paused: true })
    await expect.poll(() => messages.at(-1)).toContain('headlight resume run')
    await changeFlags(world.output, 'set', 'run', { paused: false })
    await expect.poll(() => messages.at(-1)).toBe('no worker')
    queue.workerCount = 1
    await expect.poll(() => messages.at(-1)).toBeUndefined()
    await commit(queue.jobs)
    await ends
    expect(own.messages).not.toContain('no worker')
  })

  it('ends when every shard has its record file, seen by listing alone', async () => {
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    const { following } = follow(queue)
    const end = following.end()
    await commit(queue.jobs)
    expect(await end).toBe('completed')
    expect(shards.samplesDone).toBe(60)
  })

  it('does not end before the listing does', async () => {
    const queue = new FakeQueue()
    let isListed = false
    let hasEnded = false
    const { following } = follow(queue, { isListed: () => isListed })
    const end = following.end().finally(() => (hasEnded = true))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(hasEnded).toBe(false)
    isListed = true
    expect(await end).toBe('completed')
  })

  it('takes back what was believed done but has no record file', async () => {
    const queue = new FakeQueue()
    for (const shard of shards.add(header)) shards.markDone(shard)
    const { following } = follow(queue)
    const end = following.end()
    await expect.poll(() => queue.added.length).toBeGreaterThan(0)
    expect(queue.added[0]).toHaveLength(30)
    await commit(queue.jobs)
    expect(await end).toBe('completed')
  })

  it('adds all missing shards when the queue has lost the last of them', async () => {
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    const names = [...queue.jobs]
    await commit(names.slice(0, 10))
    queue.jobs.delete(names.at(-1) ?? '')
    const { following, messages } = follow(queue)
    const end = following.end()
    await expect.poll(() => queue.added.length).toBe(2)
    expect(queue.added[1]).toEqual(names.slice(10))
    expect(queue.anew).toEqual([false, true])
    expect(messages.some((message) => message?.includes('20 without a record file'))).toBe(true)
    await commit(names)
    expect(await end).toBe('completed')
  })

  it('takes no shard for lost whose job left the queue because it was done', async () => {
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    const names = [...queue.jobs]
    queue.unknown = async (given) => {
      await commit(names)
      return [...given]
    }
    const { following, messages } = follow(queue)
    expect(await following.end()).toBe('completed')
    expect(queue.added.length).toBe(1)
    expect(messages).toEqual([])
  })

  it('waits out a queue and a store that are away, says so once, and says when it is over', async () => {
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    queue.isAway = true
    let isStoreAway = true
    const output = wrapped(world.output, {
      get: async (key, options) => {
        if (isStoreAway) throw new TransientError('store-busy', 'the store is busy')
        return world.output.get(key, options)
      },
    })
    const { following, messages } = follow(queue, { output })
    const end = following.end()
    await expect.poll(() => messages).toEqual(['the store is busy'])
    isStoreAway = false
    await expect.poll(() => messages).toEqual(['the store is busy', 'Redis is away'])
    await new Promise((resolve) => setTimeout(resolve, 50))
    queue.isAway = false
    await expect.poll(() => messages).toEqual(['the store is busy', 'Redis is away', undefined])
    await commit(queue.jobs)
    expect(await end).toBe('completed')
  })

  it('enqueues failed shards again at growing intervals, and not before', async () => {
    // In the middle of its range: no jitter.
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => void vi.restoreAllMocks())
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    const names = [...queue.jobs]
    const failed = names[3] ?? ''
    await commit(names.filter((name) => name !== failed))
    const { following, messages } = follow(queue)
    const end = following.end()
    const waits: number[] = []
    for (let i = 0; i < 3; i++) {
      queue.jobs.delete(failed)
      const began = performance.now()
      following.failed({ part: 0, offset: 6 }, 'no space is left')
      await expect.poll(() => queue.jobs.has(failed), { interval: 2 }).toBe(true)
      waits.push(performance.now() - began)
    }
    expect(waits[0]).toBeGreaterThanOrEqual(40)
    expect(waits[1]).toBeGreaterThanOrEqual(80)
    expect(waits[2]).toBeGreaterThanOrEqual(100)
    expect(queue.added.slice(1)).toEqual([[failed], [failed], [failed]])
    expect(messages[2]).toContain('3 times (no space is left)')
    await commit([failed])
    expect(await end).toBe('completed')
  })

  it('enqueues nothing while the flags say paused, and what is missing once they say so no more', async () => {
    const queue = new FakeQueue()
    shards.add(header)
    await changeFlags(world.output, 'set', 'run', { paused: true })
    const { following, messages } = follow(queue)
    const end = following.end()
    await expect.poll(() => following.isPaused).toBe(true)
    await commit(['00000-000000'])
    await expect.poll(() => shards.samplesDone).toBe(2)
    expect(queue.added).toEqual([])
    expect([queue.promotions, queue.reclaims]).toEqual([0, 0])
    expect(messages).toEqual([expect.stringContaining('headlight resume run')])

    await changeFlags(world.output, 'set', 'run', { paused: false })
    await expect.poll(() => queue.added.map((names) => names.length)).toEqual([29])
    expect(messages.at(-1)).toBeUndefined()
    // More than once: a worker may have put a shard aside after the first time.
    await expect.poll(() => queue.promotions).toBeGreaterThan(1)
    await expect.poll(() => queue.reclaims).toBeGreaterThan(1)
    expect(queue.anew).toEqual([true])
    await commit(queue.jobs)
    expect(await end).toBe('completed')
  })

  it('claims what was put aside while its producer was away and the run was paused and resumed', async () => {
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    const { following } = follow(queue)
    const end = following.end()
    await expect.poll(() => queue.reclaims).toBeGreaterThan(1)
    expect([queue.promotions, queue.delayedReclaims]).toEqual([0, 1])
    await commit(queue.jobs)
    expect(await end).toBe('completed')
  })

  it('ends as cancelled when the flags say so', async () => {
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    const { following } = follow(queue)
    const end = following.end()
    await world.output.put(layout.flags('set', 'run'), JSON.stringify({ paused: false, cancelled: true }))
    expect(await end).toBe('cancelled')
  })

  it('rejects with the reason when it is told to stop', async () => {
    const queue = new FakeQueue()
    await queue.add(shards.add(header))
    const stop = new AbortController()
    const { following } = follow(queue, { signal: stop.signal, times: { ...times, pollMs: 60_000 } })
    setTimeout(() => stop.abort(new Error('interrupted')), 20)
    await expect(following.end()).rejects.toThrow('interrupted')
  })
})

describe('shards', () => {
  it('may be added twice: what is done stays done, and is counted once', () => {
    const [first] = shards.add(header)
    shards.markDone(first ?? { part: 0, offset: 0 })
    expect(shards.add(header)).toHaveLength(29)
    expect(shards.missingCount).toBe(29)
    shards.markDone({ part: 0, offset: 0 })
    expect(shards.samplesDone).toBe(2)
  })

  it('that were committed before their part is listed are not to be computed', async () => {
    await commit(['00000-000002'])
    await shards.refresh()
    expect(shards.add(header)).toHaveLength(29)
    expect(shards.samplesDone).toBe(2)
  })
})
