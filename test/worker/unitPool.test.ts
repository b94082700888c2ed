import { beforeEach, expect, test, vi } from 'vitest'
import { PlaceError } from '../../src/errors.ts'
import { createLogger } from '../../src/telemetry.ts'
import { UnitPool } from '../../src/worker/unitPool.ts'

const { FakeUnit, made } = vi.hoisted(() => {
  const made: InstanceType<typeof FakeUnit>[] = []
  class FakeUnit {
    readonly name = 'unit-0'
    readonly pid = 1
    isAlive = true
    become: () => void = () => undefined
    #die: (why: string) => void = () => undefined
    readonly death = new Promise<string>((resolve) => (this.#die = resolve))
    readonly ready: Promise<void>

    constructor() {
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
  }
  return { FakeUnit, made }
})

vi.mock('../../src/worker/unitProcess.ts', () => ({ UnitProcess: FakeUnit }))
vi.mock('../../src/backoff.ts', () => ({ backoffMs: () => 1 }))

beforeEach(() => void made.splice(0))

test('whoever was refused a unit takes nobody’s place with it when it is stopped later', async () => {
  const pool = new UnitPool({
    units: 1,
    settings: {
      cacheFolder: '',
      engine: 'fake',
      batch: 1,
      intraOpThreads: 1,
      endpointOverride: null,
      fetchConcurrency: null,
    },
    silenceMs: 1_000,
    log: createLogger('silent'),
    onStart: () => undefined,
    onDeath: () => undefined,
  })
  const unit = async (index: number) => vi.waitUntil(() => made[index])
  const stopped = new AbortController()
  const refused = pool.acquire(stopped.signal).catch((error: unknown) => error)
  for (let index = 0; index < 5; index++) (await unit(index)).die()
  expect(await refused).toBeInstanceOf(PlaceError)
  const sixth = await unit(5)
  sixth.become()
  const first = await vi.waitUntil(async () => pool.acquire(new AbortController().signal).catch(() => undefined))
  const waiting = pool.acquire(new AbortController().signal)
  stopped.abort(new Error('lock lost'))
  pool.release(first)
  expect(await waiting).toBe(sixth)
  await pool.close()
})
