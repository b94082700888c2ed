import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from '../../../src/base/telemetry.ts'
import { layout } from '../../../src/output/layout.ts'
import { everything } from '../../../src/serve/selection.ts'
import type { TableQueries } from '../../../src/serve/table/tableQueries.ts'
import type * as TableShelfModule from '../../../src/serve/table/tableShelf.ts'
import { makeResultSet, putNight, runId, type Fixture } from '../../support/reportFixture.ts'

// Threads need the built program.
const built = new URL('../../../dist/serve/table/tableShelf.js', import.meta.url)
const { TableShelf } = (await import(built.href)) as typeof TableShelfModule

const [a, b, c, d] = [runId, '20261125T170000Z-5a0b2d', '20261126T170000Z-6a0b2d', '20261127T170000Z-7a0b2d']
const closed = 'the table was closed to make room for others; ask again'
let fixture: Fixture
let cacheFolder: string
let shelf: TableShelfModule.TableShelf
/** All that were started in a test. */
let threads: Worker[]
const onThread = (thread: Worker) => threads.push(thread)

const samples = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    key: `heads/${String(i).padStart(3, '0')}.png`,
    label: [i, 0, 0] as const,
  }))

beforeAll(async () => {
  fixture = await makeResultSet({ samples: samples(1), image: async () => null, map: async () => null })
  const { output, set } = fixture
  for (const [at, run] of [b, c, d].entries()) await putNight(output, set, run, { samples: samples(at + 2) })
})
afterAll(() => fixture.remove())

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'headlight-shelf-'))
  threads = []
  process.on('worker', onThread)
  shelf = new TableShelf({ output: fixture.output, cacheFolder, log: createLogger('silent') })
})
afterEach(async () => {
  await shelf.close()
  process.off('worker', onThread)
  await rm(cacheFolder, { recursive: true, force: true })
})

/** Asks as a browser does, until the table is there. */
async function opened(run: string): Promise<TableQueries> {
  for (;;) {
    const table = await shelf.of(fixture.set.id, run)
    if (!('waiting' in table)) return table
  }
}

/** How many images a run's table has, by a question to its thread. */
const countOf = async (run: string) => (await (await opened(run)).page(everything, 0, 1)).count

const ended = async (thread: Worker | undefined) => {
  if (thread !== undefined && thread.threadId > 0) await once(thread, 'exit')
}
const isRunning = ({ threadId }: Worker) => threadId > 0

describe('tables in threads', () => {
  it('are two at most; the one that was asked for least lately goes, with its thread', async () => {
    expect([await countOf(a), await countOf(b)]).toEqual([1, 2])
    const old = await opened(b)
    expect(await countOf(a)).toBe(1)
    // A run that has no table takes nobody's place.
    await expect(shelf.of(fixture.set.id, '20261128T170000Z-000000')).rejects.toMatchObject({ code: 'no-such-run' })
    expect(threads.map(isRunning)).toEqual([true, true])
    expect(await countOf(c)).toBe(3)
    await ended(threads[1])
    expect(threads.map(isRunning)).toEqual([true, false, true])
    await expect(old.page(everything, 0, 1)).rejects.toThrow(
      expect.objectContaining({
        name: 'TransientError',
        message: closed,
      }) as Error,
    )
    expect(await countOf(b)).toBe(2)
    await ended(threads[0])
    expect(threads.map(isRunning)).toEqual([false, false, true, true])
    // They were asked for anew, and nothing else.
    expect([await countOf(c), await countOf(b)]).toEqual([3, 2])
    expect(threads).toHaveLength(4)
  })

  it('are read once for all who ask at the same time', async () => {
    expect(await Promise.all([countOf(a), countOf(a), countOf(a)])).toEqual([1, 1, 1])
    expect(threads).toHaveLength(1)
  })

  it('come for all who wait, also where more are waited for than there is room for', async () => {
    expect(await Promise.all([a, b, c, d].map(countOf))).toEqual([1, 2, 3, 4])
    expect(threads).toHaveLength(4)
  })

  it('let the threads be heard while there is no room for more', async () => {
    const reading = [a, b].map((run) => shelf.of(fixture.set.id, run))
    let isTurned = false
    setImmediate(() => (isTurned = true))
    expect(await shelf.of(fixture.set.id, c)).toEqual({
      waiting: { text: 'waiting until there is room for another table', done: 0, total: 0 },
    })
    expect(isTurned).toBe(true)
    await Promise.all(reading)
  })

  it('stay until all that they are asked is answered', async () => {
    const table = await opened(a)
    await countOf(b)
    let isOver = false
    // One question after the other, so that one is always on its way.
    const asking = (async () => {
      while (!isOver) await table.page(everything, 0, 1)
    })()
    expect(await countOf(c)).toBe(3)
    isOver = true
    await asking
    await ended(threads[1])
    expect(threads.map(isRunning)).toEqual([true, false, true])
  })

  it('make room for others when nobody waits for them any more', async () => {
    const clock = vi.spyOn(performance, 'now')
    await Promise.all([a, b].map((run) => shelf.of(fixture.set.id, run)))
    clock.mockReturnValue(performance.now() + 60_000)
    try {
      expect(await countOf(c)).toBe(3)
    } finally {
      clock.mockRestore()
    }
    await ended(threads[0])
    expect(threads.map(isRunning)).toEqual([false, true, true])
  })
})

describe('a table that cannot be read', () => {
  it('is read again when it is asked for again, and its thread has ended', async () => {
    const { output, set } = fixture
    const run = '20261128T170000Z-8a0b2d'
    const isGone = expect.objectContaining({ name: 'InputError', code: 'no-such-run' }) as Error
    await expect(opened(run)).rejects.toThrow(isGone)
    await expect(opened(run)).rejects.toThrow(isGone)
    await output.put(layout.runTable(set.id, run), 'no table')
    await expect(opened(run)).rejects.toThrow('parquet file invalid')
    await Promise.all(threads.map(ended))
    await putNight(output, set, run, { samples: samples(5) })
    expect(await countOf(run)).toBe(5)
    // Where there is no table, none is begun.
    expect(threads).toHaveLength(2)
  })
})

describe('a thread that dies', () => {
  const hasDied = /^the thread that held the table \S+angles\.parquet has died.*; ask again$/

  it('is said to whoever has asked it, and to whoever asks it later; the next one has the table read again', async () => {
    const table = await opened(a)
    const asked = Array.from({ length: 500 }, () => table.page(everything, 0, 1))
    const outcomes = Promise.allSettled(asked)
    await threads[0]?.terminate()
    const refusals = (await outcomes).flatMap((each) =>
      each.status === 'rejected' ? [String(each.reason.message)] : [],
    )
    expect(refusals).not.toEqual([])
    for (const refusal of refusals) expect(refusal).toMatch(hasDied)
    await expect(table.page(everything, 0, 1)).rejects.toThrow(hasDied)
    expect(await countOf(a)).toBe(1)
    expect(threads).toHaveLength(2)
  })

  it('is said while it reads, too, with what it died of', async () => {
    process.once('worker', (thread) => {
      thread.emit('error', new Error('Worker terminated due to reaching memory limit'))
      void thread.terminate()
    })
    await expect(opened(a)).rejects.toThrow(/has died \(Worker terminated due to reaching memory limit\); ask again/)
    expect(await countOf(a)).toBe(1)
  })
})

describe('when the server ends', () => {
  it('all threads end, what they are asked is refused, and none begins', async () => {
    const table = await opened(a)
    const begun = once(process, 'worker')
    const reading = shelf.of(fixture.set.id, b).then(
      () => 'there before',
      (error: Error) => error.name,
    )
    await begun
    const outcomes = Promise.allSettled(Array.from({ length: 500 }, () => table.page(everything, 0, 1)))
    await shelf.close()
    expect(threads.map(isRunning)).toEqual([false, false])
    expect(['TransientError', 'there before']).toContain(await reading)
    expect((await outcomes).at(-1)).toMatchObject({ status: 'rejected', reason: { name: 'TransientError' } })
    await expect(shelf.of(fixture.set.id, c)).rejects.toThrow('headlight serve is ending')
    expect(threads).toHaveLength(2)
  })
})
