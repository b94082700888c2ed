import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogger } from '../../../src/base/telemetry.ts'
import { UnitProcess } from '../../../src/worker/supervisor/unitProcess.ts'
import type { ShardOrder, UnitReport, UnitSettings } from '../../../src/worker/unitMessages.ts'

// The supervisor's side of a unit alone: what the process would say is played.

const { played } = vi.hoisted(() => {
  const played: { child: unknown } = { child: undefined }
  return { played }
})
vi.mock('node:child_process', () => ({ fork: () => played.child }))

class FakeChild extends EventEmitter {
  readonly stdout = new EventEmitter()
  readonly stderr = new EventEmitter()
  readonly pid = 1
  readonly connected = true
  readonly sent: unknown[] = []
  readonly kills: string[] = []
  send(command: unknown): void {
    this.sent.push(command)
  }
  kill(signal: string): void {
    this.kills.push(signal)
  }
  say(report: UnitReport): void {
    this.emit('message', report)
  }
}

const silenceMs = 20_000
const startMs = 600_000
let child: FakeChild
let unit: UnitProcess

beforeEach(() => {
  vi.useFakeTimers()
  start()
  child.say({ type: 'ready' })
})
afterEach(() => void vi.useRealTimers())

function start(): void {
  child = new FakeChild()
  played.child = child
  unit = new UnitProcess({
    name: 'unit-0',
    settings: {} as UnitSettings,
    silenceMs,
    startMs,
    environment: {},
    onMeasured() {},
    onMayOpen() {},
    onMemory() {},
    onClosed() {},
    log: createLogger('silent'),
  })
}

function compute(onFailure: (error: unknown) => void = () => undefined): {
  stop: AbortController
  move: AbortController
} {
  const [stop, move] = [new AbortController(), new AbortController()]
  const listener = { onTurn() {}, onProgress() {}, onAlone: async () => {}, onAloneDone() {} }
  void unit.compute({} as ShardOrder, listener, { stop: stop.signal, move: move.signal }).catch(onFailure)
  return { stop, move }
}

/** The shard gets something done every half second. */
function reports(shard: number, forMs: number): void {
  for (let ms = 0; ms < forMs; ms += 500) {
    vi.advanceTimersByTime(500)
    child.say({ type: 'progress', shard, computed: ms, failed: 0 })
  }
}

test('a unit whose shards get things done is left alone', () => {
  compute()
  child.say({ type: 'turn', shard: 1 })
  reports(1, 100_000)
  expect(child.kills).toEqual([])
})

test('a shard told to stop that does not is killed, though another one reports', () => {
  const { stop } = compute()
  compute()
  stop.abort('lock-lost')
  reports(2, 10_000)
  expect(child.kills).toContain('SIGKILL')
})

test('a shard that hangs after its turn is noticed, though others come and go', () => {
  compute()
  child.say({ type: 'turn', shard: 1 })
  for (let shard = 2; shard < 6; shard++) {
    compute()
    child.say({ type: 'turn', shard })
    reports(shard, 10_000)
    child.say({ type: 'done', shard, done: { outcome: 'computed', computed: 1, failed: 0, engine: '', engineMs: 0 } })
  }
  expect(child.kills).toContain('SIGKILL')
})

test('a shard that waits behind a long one is not silent', () => {
  compute()
  child.say({ type: 'turn', shard: 1 })
  compute()
  reports(1, 100_000)
  expect(child.kills).toEqual([])
})

test('a shard taken away need not hurry, until its lock is lost', () => {
  const { move, stop } = compute()
  move.abort()
  vi.advanceTimersByTime(10_000)
  expect(child.sent).toContainEqual({ type: 'stop', shard: 1 })
  expect(child.kills).toEqual([])
  stop.abort('lock-lost')
  vi.advanceTimersByTime(10_000)
  expect(child.kills).toContain('SIGKILL')
})

test('a death in the trial of a batch is no fault of the shard that waits for it; after the trial it may be', async () => {
  for (const [batch, manner] of [
    [16, 'dismissed'],
    [null, 'ended'],
  ] as const) {
    start()
    const failed = new Promise<unknown>((resolve) => compute(resolve))
    child.say({ type: 'opening', batch: 32 })
    child.say(batch === null ? { type: 'opened' } : { type: 'opening', batch })
    child.emit('close', null, 'SIGABRT')
    expect(await failed).toMatchObject({ code: 'unit-died', manner })
    expect(unit.triedBatch).toBe(batch)
  }
})

test('a unit that tries smaller and smaller batches is not silent', () => {
  compute()
  child.say({ type: 'turn', shard: 1 })
  for (const batch of [32, 16, 8, 4, 2]) {
    child.say({ type: 'opening', batch })
    vi.advanceTimersByTime(startMs - 1)
  }
  expect(child.kills).toEqual([])
})

test('a unit has a time of its own to start', async () => {
  start()
  vi.advanceTimersByTime(startMs - 1)
  expect(child.kills).toEqual([])
  vi.advanceTimersByTime(1)
  expect(child.kills).toEqual(['SIGKILL'])
  child.emit('close', null, 'SIGKILL')
  expect(await unit.ready.catch((error: unknown) => error)).toMatchObject({
    message: expect.stringContaining('within 600 s: give it more with --unit-start-seconds') as string,
    manner: 'dismissed',
  })
})

test('so has one that opens a network; after it silence counts again, of every shard', () => {
  compute()
  child.say({ type: 'turn', shard: 1 })
  compute()
  child.say({ type: 'opening', batch: null })
  vi.advanceTimersByTime(startMs - 1)
  expect(child.kills).toEqual([])
  child.say({ type: 'opened' })
  reports(2, silenceMs - 500)
  expect(child.kills).toEqual([])
  reports(2, 500)
  expect(child.kills).toEqual(['SIGKILL'])
})

test('a unit that waits until it may open a network is not silent; once it may, it is when it does nothing', () => {
  compute()
  child.say({ type: 'mayOpen', network: { key: 'tiny', file: 'tiny.pkl', fileBytes: 1 } })
  compute()
  vi.advanceTimersByTime(10 * startMs)
  expect(child.kills).toEqual([])
  unit.open()
  expect(child.sent).toContainEqual({ type: 'open' })
  vi.advanceTimersByTime(silenceMs)
  expect(child.kills).toEqual(['SIGKILL'])
})

test('an opening that takes too long is told of as a fault of the place, whatever its shards report meanwhile', async () => {
  const failed = new Promise<unknown>((resolve) => compute(resolve))
  child.say({ type: 'opening', batch: null })
  reports(1, startMs / 2)
  compute()
  reports(1, startMs / 2)
  expect(child.kills).toEqual(['SIGKILL'])
  child.emit('close', null, 'SIGKILL')
  expect(await failed).toMatchObject({
    name: 'PlaceError',
    code: 'engine-wrong',
    message: expect.stringMatching(/did not open its network within 600 s: .*--unit-start-seconds/) as string,
  })
})

test('a unit that waits for its suspect to be noted is killed at no image’s cost', async () => {
  const failed = new Promise<unknown>((resolve) => {
    const listener = { onTurn() {}, onProgress() {}, onAlone: () => new Promise<void>(() => {}), onAloneDone() {} }
    const signals = { stop: new AbortController().signal, move: new AbortController().signal }
    void unit.compute({} as ShardOrder, listener, signals).catch(resolve)
  })
  child.say({ type: 'alone', shard: 1, key: 'a.jpg' })
  vi.advanceTimersByTime(silenceMs)
  expect(child.kills).toEqual(['SIGKILL'])
  child.emit('close', null, 'SIGKILL')
  expect(await failed).toMatchObject({ code: 'unit-died', manner: 'waiting' })
})
