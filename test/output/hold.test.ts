import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { PlaceError } from '../../src/base/errors.ts'
import { thisProcess, type ProcessIdentity } from '../../src/base/processIdentity.ts'
import { Hold, readHold, type HoldFile, type HoldOptions } from '../../src/output/hold.ts'
import { layout } from '../../src/output/layout.ts'
import { openStore } from '../../src/storage/open.ts'
import type { Store } from '../../src/storage/store.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { noPatience, World } from '../support/producerWorld.ts'
import { silent } from '../support/redis.ts'
import { startS3Server, type S3Request, type S3Server, type S3ServerOptions } from '../support/s3Server.ts'

const set = 'tiny-all-00000000'
const key = layout.hold(set)
const times = { heartbeatMs: 20, staleMs: 200 }

let world: World
let output: Store
let here: ProcessIdentity
const taken: Hold[] = []

beforeEach(async () => {
  world = await World.make()
  output = world.output
  here = await thisProcess()
})
afterEach(async () => {
  for (const hold of taken.splice(0)) await hold.release()
  await world.remove()
})

async function take(changes: Partial<HoldOptions> = {}): Promise<Hold> {
  const signal = new AbortController().signal
  const hold = await Hold.take({
    output,
    set,
    signal,
    patience: noPatience,
    onWait: () => undefined,
    log: silent,
    times,
    ...changes,
  })
  taken.push(hold)
  return hold
}

async function written(): Promise<HoldFile | undefined> {
  return (await readHold(output, set))?.value
}

function leave(owner: Partial<HoldFile>): Promise<unknown> {
  const hold: HoldFile = { run: 'r1', ...here, heartbeatAt: new Date().toISOString(), ...owner }
  return output.put(key, JSON.stringify(hold))
}

const elsewhere = { host: 'other-host', bootId: 'other boot', pid: 7, processStart: '9' }

describe('the hold', () => {
  it('names its owner and run, beats, and is gone after release', async () => {
    const hold = await take()
    await hold.setRun('r2')
    const first = await written()
    expect(first).toMatchObject({ ...here, run: 'r2' })
    await expect.poll(async () => (await written())?.heartbeatAt).not.toBe(first?.heartbeatAt)
    await hold.release()
    expect(await written()).toBeUndefined()
  })

  it('is refused at once while a process of this machine lives, naming it', async () => {
    await take()
    await expect(take()).rejects.toMatchObject({
      code: 'held',
      message: expect.stringContaining(`process ${process.pid}`),
    })
  })

  it.each([
    ['has ended', { pid: 2 ** 22 + 1, processStart: '5' }],
    ['had the pid before', { processStart: '5' }],
  ])('is taken at once from a process of this machine that %s', async (_how, owner) => {
    await leave(owner)
    const waits: string[] = []
    await take({ onWait: (message) => waits.push(message), times: { heartbeatMs: 20, staleMs: 3_600_000 } })
    expect(waits).toEqual([])
    expect(await written()).toMatchObject(here)
  })

  it.each([
    ['another host', elsewhere],
    ['another pid namespace of this host', { pid: 2 ** 22 + 1, bootId: 'the boot pid:[1]' }],
  ])('is waited for, saying so, when its owner is of %s and silent', async (_where, owner) => {
    await leave(owner)
    const waits: string[] = []
    const began = performance.now()
    await take({ onWait: (message) => waits.push(message) })
    expect(performance.now() - began).toBeGreaterThan(100)
    expect(waits).toHaveLength(1)
    expect(waits[0]).toContain(`process ${owner.pid}`)
  })

  it('is not taken by a clock that is ahead: an owner whose heartbeat looks old but beats is alive', async () => {
    await leave({ ...elsewhere, heartbeatAt: '2020-01-01T00:00:00.000Z' })
    const beat = setInterval(() => {
      void leave({
        ...elsewhere,
        heartbeatAt: new Date(Date.parse('2020-01-01T00:00:00.000Z') + performance.now()).toISOString(),
      })
    }, 10)
    try {
      await expect(take()).rejects.toMatchObject({ code: 'held', message: expect.stringContaining('other-host') })
    } finally {
      clearInterval(beat)
    }
  })

  it('is not taken by a clock that is ahead before the owner had time for a beat', async () => {
    await leave({ ...elsewhere, heartbeatAt: '2020-01-01T00:00:00.000Z' })
    const beat = setTimeout(() => void leave({ ...elsewhere, heartbeatAt: '2020-01-01T00:00:01.000Z' }), 400)
    try {
      await expect(take({ times: { heartbeatMs: 400, staleMs: 60_000 } })).rejects.toMatchObject({ code: 'held' })
    } finally {
      clearTimeout(beat)
    }
  })

  it('leaves the hold of another who took it since the last beat', async () => {
    const hold = await take({ times: { heartbeatMs: 60_000, staleMs: 180_000 } })
    await leave(elsewhere)
    await hold.release()
    expect(await written()).toMatchObject(elsewhere)
  })

  it('aborts its run when another takes it over, and does not remove the other one', async () => {
    const hold = await take()
    await leave(elsewhere)
    await expect.poll(() => hold.lost.aborted).toBe(true)
    expect(hold.lost.reason).toMatchObject({ code: 'held' })
    await expect(hold.confirm()).rejects.toMatchObject({ code: 'held' })
    await hold.release()
    expect(await written()).toMatchObject(elsewhere)
  })

  it('outlives a store that is away for a while, and an answer that was lost', async () => {
    let isAway = false
    let losesAnswer = false
    const flaky = wrapped(output, {
      put: async (name, bytes, options) => {
        if (isAway) throw new Error('away')
        const etag = await output.put(name, bytes, options)
        if (!losesAnswer) return etag
        losesAnswer = false
        throw new Error('the answer was lost')
      },
    })
    const hold = await take({ output: flaky })
    isAway = true
    await new Promise((resolve) => setTimeout(resolve, 100))
    isAway = false
    losesAnswer = true
    await hold.confirm().catch(() => undefined)
    await hold.confirm()
    expect(hold.lost.aborted).toBe(false)
  })

  it('has one winner of many', async () => {
    const identities = Array.from({ length: 6 }, (_, i) => ({ ...here, host: `host-${i}` }))
    const slow = { heartbeatMs: 50, staleMs: 60_000 }
    const outcomes = await Promise.allSettled(identities.map((identity) => take({ identity, times: slow })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('works without conditional PUT, with a warning', async () => {
    const plain = wrapped(output, {
      conditionalPut: async () => false,
      put: (name, bytes, options) => {
        if (options?.ifAbsent !== undefined || options?.ifMatch !== undefined) throw new Error('not offered')
        return output.put(name, bytes, options)
      },
    })
    const warnings: string[] = []
    const log = silent.child({})
    log.warn = (message: unknown) => void warnings.push(String(message))
    const hold = await take({ output: plain, log })
    expect(warnings.join()).toContain('conditional PUT')
    await hold.setRun('r3')
    expect((await written())?.run).toBe('r3')
    // Left again and again, as the other's heartbeat does: a renewal that had looked before may write over the first one.
    await expect
      .poll(async () => {
        await leave(elsewhere)
        return hold.lost.aborted
      })
      .toBe(true)
  })

  it('stops waiting when it is told to', async () => {
    await leave(elsewhere)
    const stop = new AbortController()
    const taking = take({ signal: stop.signal, times: { heartbeatMs: 1_000, staleMs: 60_000 } })
    setTimeout(() => stop.abort(new Error('interrupted')), 50)
    await expect(taking).rejects.toThrow('interrupted')
  })
})

describe('what dead processes left behind', () => {
  it('goes from a folder when the hold is taken', async () => {
    const folder = join(world.folder, 'output', set, '.headlight-tmp-files')
    await mkdir(folder, { recursive: true })
    const old = join(folder, '.headlight-tmp-old')
    await writeFile(old, 'x')
    await utimes(old, 1, 1)
    await take()
    // Its heartbeat may be writing there at this moment.
    expect(await readdir(folder)).not.toContain(basename(old))
  })

  it('is no obstacle where it cannot be looked for', async () => {
    output = wrapped(output, { removeLeftovers: () => Promise.reject(new PlaceError('disk-full', 'no room')) })
    await take()
    expect(await written()).toMatchObject(here)
  })

  describe('in S3', () => {
    const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }
    const ofRun = ['angles.parquet', 'failures.csv', 'map-places.bin']
    const parts = [`${set}/angles.parquet`, ...ofRun.map((file) => `${set}/runs/r1/${file}`)]
    const others = [`${set}-2/angles.parquet`, `${set}/maps/sum/a.png`, `${set}/somebody's.zip`]
    const place = async (options: Partial<S3ServerOptions> = {}): Promise<S3Server> => {
      const server = await startS3Server({ ...credentials, pageSize: 2, ...options })
      output = openStore('s3://bucket/out', { endpoint: server.endpoint, credentials })
      onTestFinished(async () => {
        output.close()
        await server.close()
      })
      for (const one of [...parts, ...others, ...parts]) server.buckets.get('bucket')?.uploads.create(`out/${one}`, {})
      return server
    }
    const left = (server: S3Server) => server.unfinished().map((one) => one.slice('out/'.length))
    const release = async () => {
      for (const hold of taken.splice(0)) await hold.release()
    }

    it('uploads of the keys that only a holder writes are aborted, and no others', async () => {
      const server = await place()
      await take()
      expect(left(server)).toEqual(others)
      await release()
    })

    it('uploads stay where they may not be listed or aborted, and the run goes on', async () => {
      const server = await place()
      const refuse = { when: ({ query }: S3Request) => query.has('uploads'), what: 'deny' } as const
      server.faults.push(refuse)
      await take()
      expect(left(server).length).toBe(11)
      await release()
      server.faults[0] = { when: ({ method, query }) => method === 'DELETE' && query.has('uploadId'), what: 'deny' }
      await take()
      expect(left(server).length).toBe(11)
      await release()
    })

    it('where two may have the hold, uploads of this day stay', async () => {
      const server = await place({ conditions: 'ignored' })
      await take()
      expect(left(server).length).toBe(11)
      await release()
      const dayAgo = new Date(Date.now() - 25 * 3_600_000).toISOString()
      server.faults.push({
        when: ({ method, query }) => method === 'GET' && query.has('uploads'),
        what: ({ body, ...answer }) => ({
          ...answer,
          body: String(body).replaceAll(/(?<=<Initiated>).*?(?=<)/g, dayAgo),
        }),
      })
      await take()
      expect(left(server)).toEqual(others)
      await release()
    })
  })
})
