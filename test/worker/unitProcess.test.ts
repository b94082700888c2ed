import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogger } from '../../src/telemetry.ts'
import { UnitProcess } from '../../src/worker/unitProcess.ts'
import type { ShardOrder, UnitReport, UnitSettings } from '../../src/worker/unitMessages.ts'

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
let child: FakeChild
let unit: UnitProcess

beforeEach(() => {
  vi.useFakeTimers()
  child = new FakeChild()
  played.child = child
  const settings = {} as UnitSettings
  unit = new UnitProcess({
    name: 'unit-0',
    settings,
    silenceMs,
    environment: {},
    onMeasured() {},
    log: createLogger('silent'),
  })
  child.say({ type: 'ready' })
})
afterEach(() => void vi.useRealTimers())

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
    const fresh = new FakeChild()
    played.child = fresh
    unit = new UnitProcess({
      name: 'unit-1',
      settings: {} as UnitSettings,
      silenceMs,
      environment: {},
      onMeasured() {},
      log: createLogger('silent'),
    })
    const failed = new Promise<unknown>((resolve) => compute(resolve))
    fresh.say({ type: 'trying', batch: 32 })
    fresh.say({ type: 'trying', batch })
    fresh.emit('close', null, 'SIGABRT')
    expect(await failed).toMatchObject({ code: 'unit-died', manner })
    expect(unit.triedBatch).toBe(batch)
  }
})

test('a unit that tries smaller and smaller batches is not silent', () => {
  compute()
  child.say({ type: 'turn', shard: 1 })
  for (const batch of [32, 16, 8, 4, 2]) {
    child.say({ type: 'trying', batch })
    vi.advanceTimersByTime(silenceMs - 1)
  }
  expect(child.kills).toEqual([])
})
