import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { checkRedis } from '../../src/queue/checkRedis.ts'
import { redisConnection } from '../../src/queue/redisUrl.ts'
import { scheduleOutcomesKey, schedulesKey } from '../../src/queue/schedule.ts'
import { imageFolder, inFolder, networkFile, startHeadlight } from '../support/headlight.ts'
import { aclRules, hasOpenssl, startSecuredRedis, type SecuredRedis } from '../support/securedRedis.ts'

const passwords = { headlight: 'p@ss/word of headlight', keda: 'password of keda' }
let redis: SecuredRedis

/** A client of the user, refused things raise. */
async function clientOf(user: 'headlight' | 'keda'): Promise<Redis> {
  const tls = { ca: await readFile(redis.caFile) }
  const login = { username: user, password: passwords[user] }
  return new Redis({ host: 'localhost', port: redis.port, ...login, tls, enableReadyCheck: false })
}

/** What the server refused since the last look, as `user: reason object`. */
async function refused(server = redis): Promise<string[]> {
  const log = (await server.admin.call('ACL', 'LOG')) as (string | number)[][]
  await server.admin.call('ACL', 'LOG', 'RESET')
  return log.map((entry) => {
    const field = (name: string) => String(entry[entry.indexOf(name) + 1])
    return `${field('username')}: ${field('reason')} ${field('object')}`
  })
}

/** Producer, worker, schedules and status do their work; afterwards the server has refused nothing. */
const getsAlong = (server: SecuredRedis) =>
  inFolder(async (folder) => {
    const environment = { HEADLIGHT_REDIS: server.url('headlight'), NODE_EXTRA_CA_CERTS: server.caFile }
    const done = async (...args: string[]) => {
      const { code, stdout, stderr } = await startHeadlight(args, { ...environment, HEADLIGHT_JSON: 'true' }).ended
      expect({ args, code, stderr }).toMatchObject({ args, code: 0 })
      return JSON.parse(stdout || 'null') as unknown
    }
    const output = join(folder, 'out')
    const asked = ['--dataset', imageFolder, '--output', output, '--network', networkFile]
    const standing = [
      startHeadlight(['producer'], environment),
      startHeadlight(['worker', '--units', '1', '--cache-folder', join(folder, 'cache')], environment),
    ]
    onTestFinished(() => standing.forEach(({ kill }) => kill('SIGKILL')))
    expect(await done('produce', ...asked, '--shard-size', '1')).toMatchObject({ state: 'completed' })
    await done('schedule', 'add', 'nightly', '--cron', '0 2 * * *', '--tz', 'UTC', '--', ...asked)
    await done('schedule', 'run', 'nightly')
    while ((await server.admin.llen(scheduleOutcomesKey('nightly'))) === 0) await sleep(50)
    expect(await done('schedule', 'list')).toMatchObject({ schedules: [{ outcomes: [{ outcome: 'completed' }] }] })
    // The producer puts back what Redis loses, once it has seen it: it looks every three seconds.
    await sleep(7_000)
    await server.admin.flushall()
    while ((await server.admin.hlen(schedulesKey)) === 0) await sleep(50)
    expect(await done('schedule', 'list')).toMatchObject({ schedules: [{ outcomes: [{ outcome: 'completed' }] }] })
    await done('schedule', 'remove', 'nightly')
    expect(await done('status')).toMatchObject({ queues: [{ workers: 1 }, { workers: 1 }] })
    for (const { kill } of standing) kill('SIGTERM')
    for (const { ended } of standing) expect(await ended).toMatchObject({ code: 0 })
    expect(await refused(server)).toEqual([])
    // What an old server does not know, a newer one would refuse.
    expect(await server.admin.info('errorstats')).not.toMatch(/errorstat_(ERR|NOPERM)/)
  })

test("every command of BullMQ's scripts is allowed, so that a newer BullMQ cannot fail on one unseen", async () => {
  const folder = fileURLToPath(new URL('../../node_modules/bullmq/dist/esm/scripts', import.meta.url))
  const commands = new Set<string>()
  for (const file of readdirSync(folder).filter((name) => /-\d+\.js$/.test(name))) {
    const text = await readFile(join(folder, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/\br?call\(\s*["'](\w+)["']/gi)) commands.add(name.toLowerCase())
  }
  expect(commands.size).toBeGreaterThan(40)
  const allowed = new Set((await aclRules('headlight')).split(' ').map((rule) => rule.replace(/^\+/, '')))
  expect([...commands].filter((name) => !allowed.has(name))).toEqual([])
})

describe.skipIf(!hasOpenssl)('a Redis with TLS and the users of infra/redis (skipped without openssl)', () => {
  beforeAll(async () => {
    redis = await startSecuredRedis(passwords)
  })
  afterAll(() => redis.stop())

  test(
    'producer, worker, schedules and status get along with TLS and the rules of infra/redis',
    { timeout: 400_000 },
    () => getsAlong(redis),
  )

  test('they do so on a Redis Cluster, with what docs/security.md adds', { timeout: 400_000 }, async () => {
    const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8')
    const [, rules = ''] = /On a Redis Cluster .* the user also needs `([^`]*)`/.exec(page) ?? []
    const node = await startSecuredRedis(passwords, rules)
    onTestFinished(() => node.stop())
    await getsAlong(node)
  })

  test.each([
    ['a key of somebody else', ['GET', 'other']],
    ['a key that only begins alike', ['SET', '{headlight}', '1']],
    ['all keys', ['KEYS', '*']],
    ['a walk over all keys', ['SCAN', '0']],
    ['emptying the server', ['FLUSHALL']],
    ['reading the configuration', ['CONFIG', 'GET', 'requirepass']],
    ['changing the configuration', ['CONFIG', 'SET', 'dir', '/tmp']],
    ['widening its own rights', ['ACL', 'SETUSER', 'headlight', '+@all']],
    ['ending other clients', ['CLIENT', 'KILL', 'TYPE', 'normal']],
    ['reading what others send', ['MONITOR']],
    ['listening to other channels', ['SUBSCRIBE', 'other']],
    ['stopping the server', ['SHUTDOWN', 'NOSAVE']],
    ['a script that reaches out of the prefix', ['EVAL', "return redis.call('GET', 'other')", '0']],
  ])("headlight's user is refused %s", async (_what, [command = '', ...args]) => {
    const client = await clientOf('headlight')
    await expect(client.call(command, ...args)).rejects.toThrow(/NOPERM|can't access|ACL failure in script/)
    client.disconnect()
    await refused()
  })

  test.each([
    ['the runs queue', ['LLEN', '{headlight}:headlight-runs-v1:wait']],
    ['what stands in a job', ['LRANGE', '{headlight}:headlight-shards-v1:wait', '0', '-1']],
    ['taking a job away', ['DEL', '{headlight}:headlight-shards-v1:wait']],
  ])("KEDA's user is refused %s", async (_what, [command = '', ...args]) => {
    const client = await clientOf('keda')
    await expect(client.call(command, ...args)).rejects.toThrow(/NOPERM/)
    client.disconnect()
    await refused()
  })

  test('nobody gets in without password, without TLS or with a certificate that is not trusted', async () => {
    const worker = async (url: string, environment: Record<string, string> = {}) => {
      const { code, stderr } = await startHeadlight(['worker'], { HEADLIGHT_REDIS: url, ...environment }).ended
      expect(code).toBe(2)
      expect(stderr).not.toContain('word of headlight')
      return stderr
    }
    expect(await worker(`rediss://localhost:${redis.port}`, { NODE_EXTRA_CA_CERTS: redis.caFile })).toContain(
      'wants a password',
    )
    expect(await worker(redis.url('headlight'))).toContain('name its CA in NODE_EXTRA_CA_CERTS')
    const plain = redisConnection(redis.url('headlight').replace('rediss:', 'redis:'))
    await expect(checkRedis(plain, 1_000)).rejects.toThrow('use rediss://')
    await refused()
  })
})
