import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { createLogger } from '../../../src/base/telemetry.ts'
import type { QueueConnection } from '../../../src/queue/redisUrl.ts'
import { ShardJobs } from '../../../src/worker/supervisor/shardJobs.ts'
import { startWorker } from '../../../src/worker/supervisor/supervisor.ts'

class FakeWorker extends EventEmitter {
  async pause(): Promise<void> {}
  async close(): Promise<void> {}
}

const queue = new FakeWorker()
vi.mock('../../../src/queue/connection.ts', () => ({ openWorker: () => queue }))
vi.mock('../../../src/worker/supervisor/unitPool.ts', () => ({
  shardsPerUnit: 2,
  UnitPool: class {
    readonly started = Promise.resolve()
    async close(): Promise<void> {}
  },
}))

vi.mock('../../../src/queue/heartbeat.ts', () => ({
  HeartbeatSender: class {
    async close(): Promise<void> {}
  },
}))

test('the jobs whose locks the queue could not renew are told to stop', async () => {
  const lost = vi.spyOn(ShardJobs.prototype, 'lockLost')
  const worker = await startWorker({
    connection: {} as QueueConnection,
    queueName: 'shards',
    units: 1,
    engine: 'fake',
    batch: 1,
    cacheFolder: '',
    unitSilenceMs: 1_000,
    unitStartMs: 60_000,
    headlightVersion: '0.0.0',
    log: createLogger('silent'),
  })
  queue.emit('lockRenewalFailed', ['run-1-00000-000000'])
  expect(lost).toHaveBeenCalledExactlyOnceWith(['run-1-00000-000000'])
  await worker.drain(0)
})
