import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { PlaceError } from '../../../src/base/errors.ts'
import { createLogger } from '../../../src/base/telemetry.ts'
import { UnitPool, type UnitPoolOptions } from '../../../src/worker/supervisor/unitPool.ts'
import type { UnitProcessOptions } from '../../../src/worker/supervisor/unitProcess.ts'

const { FakeUnit, made } = vi.hoisted(() => {
  const made: InstanceType<typeof FakeUnit>[] = []
  class FakeUnit {
    readonly name: string
    readonly options: UnitProcessOptions
    readonly pid = 1
    isAlive = true
    triedBatch: number | null = null
    readonly largestBatch: number
    become: () => void = () => undefined
    #die: (why: string) => void = () => undefined
    readonly death = new Promise<string>((resolve) => (this.#die = resolve))
    readonly ready: Promise<void>

    constructor(options: UnitProcessOptions) {
      this.options = options
      this.name = options.name
      this.largestBatch = options.settings.largestBatch
      this.ready = new Promise((resolve, reject) => {
        this.become = resolve
        void this.death.then(() => reject(new Error('died')))
      })
      this.ready.catch(() => undefined)
      made.push(this)
    }
    die(): void {
      this.isAlive = false
      this.#die('signal SIGSEGV')
    }
    async exit(): Promise<void> {
      this.die()
    }
    kill(): void {
      this.die()
    }
    mayOpen(key: string): void {
      this.options.onMayOpen({ key, file: key, fileBytes: 1 })
    }
    readonly open = vi.fn<() => void>()
  }
  return { FakeUnit, made }
})

vi.mock('../../../src/worker/supervisor/unitProcess.ts', () => ({ UnitProcess: FakeUnit }))
vi.mock('../../../src/base/backoff.ts', async (original) => ({ ...(await original<object>()), backoffMs: () => 1 }))

beforeEach(() => void made.splice(0))

function newPool(units: number, memory: Partial<UnitPoolOptions['memory']> = {}): UnitPool {
  const pool = new UnitPool({
    memory: {
      availableBytes: 10e9,
      units,
      mostUnits: units,
      isGiven: false,
      remembered: new Map(),
      say: () => undefined,
      ...memory,
    },
    settings: {
      cacheFolder: '',
      modelsFolder: null,
      engine: 'fake',
      batch: null,
      largestBatch: 32,
      intraOpThreads: 1,
      endpoints: { dataset: null, output: null },
      fetchConcurrency: null,
    },
    silenceMs: 1_000,
    startMs: 1_000,
    log: createLogger('silent'),
    onStart: () => undefined,
    onDeath: () => undefined,
    onMeasured: () => undefined,
    onMemory: () => undefined,
    onDismissed: () => undefined,
    onUnits: () => undefined,
  })
  onTestFinished(() => pool.close())
  return pool
}

const never = new AbortController().signal
const unit = async (index: number) => vi.waitUntil(() => made[index], { timeout: 20_000 })

test('whoever was refused a unit takes nobody’s place with it when it is stopped later', async () => {
  const pool = newPool(1)
  const stopped = new AbortController()
  const refused = pool.acquire(false, stopped.signal).catch((error: unknown) => error)
  for (let index = 0; index < 5; index++) (await unit(index)).die()
  expect(await refused).toBeInstanceOf(PlaceError)
  const sixth = await unit(5)
  sixth.become()
  const first = await vi.waitUntil(async () => pool.acquire(true, never).catch(() => undefined), { timeout: 20_000 })
  const waiting = pool.acquire(false, never)
  stopped.abort(new Error('lock lost'))
  pool.release(first)
  expect(await waiting).toBe(sixth)
})

test('units get a first shard each before any gets a second, and none a third', async () => {
  const pool = newPool(2)
  for (const index of [0, 1]) (await unit(index)).become()
  await pool.started
  const idle = vi.fn<() => void>()
  pool.onIdle = idle
  const given = [await pool.acquire(false, never), await pool.acquire(false, never)]
  expect(new Set(given).size).toBe(2)
  expect(pool.hasIdleUnit).toBe(false)
  for (let i = 0; i < 2; i++) given.push(await pool.acquire(false, never))
  expect(new Set(given.slice(2)).size).toBe(2)
  const fifth = pool.acquire(false, never)
  const [one] = given
  if (!one) throw new Error('no unit')
  expect(pool.isShared(one)).toBe(true)
  pool.release(one)
  expect(await fifth).toBe(one)
  for (let i = 0; i < 2; i++) pool.release(one)
  expect(idle).toHaveBeenCalledOnce()
})

test('a shard that must be alone waits for a free unit, and others wait behind it', async () => {
  const pool = newPool(1)
  ;(await unit(0)).become()
  await pool.started
  const first = await pool.acquire(false, never)
  const order: string[] = []
  const alone = pool.acquire(true, never).then((given) => (order.push('alone'), given))
  const next = pool.acquire(false, never).then((given) => (order.push('next'), given))
  pool.release(first)
  await alone
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual(['alone'])
  pool.release(await alone)
  pool.release(await next)
  expect(order).toEqual(['alone', 'next'])
  expect(pool.hasIdleUnit).toBe(true)
})

test('a shard that gives up waiting to be alone lets the others on', async () => {
  const pool = newPool(1)
  ;(await unit(0)).become()
  await pool.started
  await pool.acquire(false, never)
  const stopped = new AbortController()
  const alone = pool.acquire(true, stopped.signal)
  const next = pool.acquire(false, never)
  stopped.abort(new Error('lock lost'))
  await expect(alone).rejects.toThrow('lock lost')
  expect(await next).toBe(made[0])
})

test('a dead unit gets no shard; whoever waits gets the one that comes after it', async () => {
  const pool = newPool(1)
  ;(await unit(0)).become()
  await pool.started
  made[0]?.die()
  const waiting = pool.acquire(false, never)
  ;(await unit(1)).become()
  expect(await waiting).toBe(made[1])
})

test('a batch in whose trial a unit died is not tried again by the next one, nor are larger ones', async () => {
  newPool(1)
  for (const [tried, largest] of [
    [null, 32],
    [32, 16],
    [4, 2],
  ] as const) {
    const unit = made.at(-1)
    if (unit) unit.triedBatch = tried
    const before = made.length
    unit?.die()
    await expect.poll(() => made.length).toBe(before + 1)
    expect(made.at(-1)?.largestBatch).toBe(largest)
  }
})

test('units for which there is no memory are dismissed and not replaced: first those that have nothing to lose', async () => {
  const pool = newPool(4, { availableBytes: 1e9 })
  for (const index of [0, 1, 2, 3]) (await unit(index)).become()
  await pool.started
  const working = [await pool.acquire(false, never), await pool.acquire(false, never), await pool.acquire(false, never)]
  for (const index of [3, 2]) made[index]?.mayOpen('large')
  expect(made.map(({ open }) => open.mock.calls.length)).toEqual([0, 0, 0, 1])
  made[3]?.options.onMemory('large', { processBytes: 400e6, deviceBytes: null }, true)
  // The one with the network stays, and of the others, each with a shard, the first.
  expect(made.map(({ isAlive }) => isAlive)).toEqual([true, false, false, true])
  expect(made[2]?.open).not.toHaveBeenCalled()
  for (const one of working) pool.release(one)
  const given = [await pool.acquire(false, never), await pool.acquire(false, never)]
  expect(new Set(given)).toEqual(new Set([made[0], made[3]]))
  made[0]?.die()
  expect((await unit(4)).name).toBe('unit-0')
  made[3]?.options.onMemory('large', { processBytes: 900e6, deviceBytes: null }, true)
  expect(made.map(({ isAlive }) => isAlive)).toEqual([false, false, false, true, false])
})

test('more units come when they are found to take little, under names that are free', async () => {
  const pool = newPool(1, { availableBytes: 1e9, mostUnits: 3 })
  ;(await unit(0)).become()
  await pool.started
  made[0]?.mayOpen('small')
  made[0]?.options.onMemory('small', { processBytes: 300e6, deviceBytes: null }, true)
  expect(made.map(({ name }) => name)).toEqual(['unit-0', 'unit-1', 'unit-2'])
})
