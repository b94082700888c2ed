import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { openQueue } from '../../src/queue/connection.ts'
import { heartbeatExpiryMs, heartbeatKey, workersKey, type Heartbeat } from '../../src/queue/heartbeat.ts'
import { queuePrefix, runJobSchema, runsQueue, shardJobSchema, shardsQueue } from '../../src/queue/jobs.ts'
import { headlight, imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'
import { silent, startTestRedis } from '../support/redis.ts'

let redis: Awaited<ReturnType<typeof startTestRedis>>
beforeAll(async () => {
  redis = await startTestRedis()
})
afterAll(() => redis.stop())

const next = (queue: string) => queue.replace(/\d+$/, (version) => String(Number(version) + 1))

test('jobs of the next version stay untouched by producer and worker of this one', { timeout: 180_000 }, () =>
  inFolder(async (folder) => {
    const client = new Redis(redis.connection.redis.path ?? '')
    onTestFinished(() => client.disconnect())
    for (const name of [runsQueue, shardsQueue].map(next)) {
      const queue = openQueue(redis.connection, name, silent)
      await queue.add('of a newer schema', { colour: 'unknown to this version' }, { attempts: 3 })
      await queue.add('and one that is due', {}, { delay: 1 })
      await queue.close()
    }
    const newer = async () => {
      const keys = await client.keys(`${queuePrefix}:*-v2:*`)
      const bytes = await Promise.all(keys.sort().map(async (key) => [key, await client.dumpBuffer(key)] as const))
      return new Map(bytes.map(([key, dump]) => [key, dump?.toString('hex')]))
    }
    const before = await newer()
    // Two queues with an id, two jobs, events, meta, the list of those that wait and the set of the delayed.
    expect(before.size).toBeGreaterThanOrEqual(12)

    const environment = { HEADLIGHT_REDIS: `redis+unix://${redis.connection.redis.path}` }
    const standing = [
      startHeadlight(['producer'], environment),
      startHeadlight(['worker', '--units', '1', '--cache-folder', join(folder, 'cache')], environment),
    ]
    onTestFinished(() => standing.forEach(({ kill }) => kill('SIGKILL')))
    await Promise.all([standing[0]?.said('waiting for runs'), standing[1]?.said('waiting for shards')])
    const data = ['--dataset', imageFolder, '--output', join(folder, 'out'), '--network', networkFile]
    expect(await startHeadlight(['produce', ...data], environment).ended).toMatchObject({ code: 0 })
    expect(await newer()).toEqual(before)
  }),
)

test('status shows the version of each worker, also of one that says more than this version knows', async () => {
  const client = new Redis(redis.connection.redis.path ?? '')
  onTestFinished(() => client.disconnect())
  const heartbeat: Heartbeat = {
    host: 'old',
    pid: 1,
    version: '0.1.0',
    engine: 'onnxruntime:cpu',
    device: 'cpu',
    state: 'working',
    fault: null,
    units: 1,
    computed: 0,
    failed: 0,
    imagesPerSecond: 0,
    startedAt: '2026-01-01T00:00:00Z',
  }
  for (const said of [heartbeat, { ...heartbeat, host: 'new', version: '9.0.0', activity: 'idle', mood: 'fine' }]) {
    await client.set(heartbeatKey(said.host), JSON.stringify(said), 'PX', heartbeatExpiryMs)
    await client.sadd(workersKey, said.host)
  }
  const ask = ['status', '--redis', `redis+unix://${redis.connection.redis.path}`]
  const { stdout } = await headlight(ask)
  expect(stdout).toMatch(/^new 1\s+9\.0\.0\s.* idle\s/m)
  expect(stdout).toMatch(/^old 1\s+0\.1\.0\s.* working\s/m)
  const { workers } = JSON.parse((await headlight([...ask, '--json'])).stdout) as { workers: unknown[] }
  // The worker of the test before was killed and may still be listed.
  expect(workers).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ host: 'new', version: '9.0.0' }),
      expect.objectContaining({ host: 'old', version: '0.1.0' }),
    ]),
  )
})

test('the fields of a job belong to the version in the name of its queue', () => {
  // A worker refuses what its schema does not know. So once a version is released, a change here must raise
  // jobSchemaVersion and then this expectation.
  const fields = (schema: z.ZodType) => {
    const { properties, required } = z.toJSONSchema(schema, { io: 'input' })
    return { fields: Object.keys(properties ?? {}).sort(), required: [...(required ?? [])].sort() }
  }
  expect({ [runsQueue]: fields(runJobSchema), [shardsQueue]: fields(shardJobSchema) }).toEqual({
    'headlight-runs-v1': {
      fields:
        'endpoint followNetwork full keepRuns output priority prune report run schedule set shardSize webhook'.split(
          ' ',
        ),
      required: ['full', 'output', 'set', 'shardSize'],
    },
    'headlight-shards-v1': {
      fields: ['count', 'endpoint', 'offset', 'output', 'part', 'run', 'set', 'suspicion'],
      required: ['count', 'offset', 'output', 'part', 'run', 'set'],
    },
  })
})
