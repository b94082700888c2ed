import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { createLogger, type Logger } from '../../src/base/telemetry.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { memoryStore } from '../support/memoryStore.ts'
import { serveRunOf, startFakeWorker, World } from '../support/producerWorld.ts'
import { startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>

beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

/** A logger that notes warnings. Each is of a result set. */
function noting(events: string[], set: ResultSet): Logger {
  return createLogger('warn', {
    write: (line) => {
      const { msg, resultSet } = JSON.parse(line) as { msg: string; resultSet?: string }
      expect(resultSet).toBe(set.id)
      events.push(msg)
    },
  })
}

it('says how many images are computed again for what is read only now, before any of them is', async () => {
  const world = await World.make()
  onTestFinished(() => world.remove())
  const keys = Array.from({ length: 12 }, (_, n) => `${String(n).padStart(5, '0')}.png`)
  const changedKeys = keys.slice(-3)
  const memory = memoryStore(Object.fromEntries(keys.map((key) => [key, key])))
  const dataset = wrapped(memory, { close: () => undefined })
  const plain = await world.prepare(['yaw'])
  const adapter = { name: 'csv' as const, applyExifOrientation: false, index: 'index.csv', columns: {} }
  const set: ResultSet = { ...plain, options: { ...plain.options, adapter } }
  const events: string[] = []
  const worker = startFakeWorker({
    connection: redis.connection,
    queueName: 'read-anew',
    output: world.output,
    set,
    before: () => void events.push('computes'),
  })
  onTestFinished(() => worker.stop())
  const serve = async (header: string) => {
    memory.objects.set('index.csv', `${header}\n${keys.map((key) => `${key},1,2,3\n`).join('')}`)
    events.length = 0
    const summary = await serveRunOf(world, set, redis.connection, 'read-anew', {
      openDataset: () => dataset,
      // A full part is computed while the next one is listed, otherwise.
      partEntries: 4,
      shardSize: 4,
      log: noting(events, set),
    })
    return summary.counts
  }
  expect(await serve('key,a,b,c')).toMatchObject({ computed: keys.length })
  expect(events).toEqual([
    'nothing is read from "a", "b", "c" of the index; --columns says what columns hold',
    'computes',
    'computes',
    'computes',
  ])

  for (const key of changedKeys) memory.objects.set(key, 'changed')
  expect(await serve('key, yaw, pitch, roll')).toMatchObject({ computed: keys.length })
  expect(events).toEqual([
    `${keys.length - changedKeys.length} images are computed again only because more of the index is read than by earlier versions of headlight`,
    'computes',
    'computes',
    'computes',
  ])

  expect(await serve('key, yaw, pitch, roll')).toMatchObject({ computed: 0, unchanged: keys.length })
  expect(events).toEqual([])
})
