import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkRedisRights } from '../../src/cli/commands/doctor/redisRightsCheck.ts'
import { triedCommands } from '../../src/queue/redisRights.ts'
import { freePort, startTcpRedis } from '../support/redis.ts'
import { aclRules } from '../support/securedRedis.ts'

let redis: Awaited<ReturnType<typeof startTcpRedis>>
let admin: Redis
beforeAll(async () => {
  redis = await startTcpRedis()
  admin = new Redis({ port: redis.port })
})
afterAll(async () => {
  admin.disconnect()
  await redis.stop()
})

/** What doctor says to a user with headlight's rules and these after them. */
async function rightsWith(...more: string[]) {
  const rules = (await aclRules('headlight')).split(' ')
  await admin.call('ACL', 'SETUSER', 'ann', 'reset', 'on', '>secret', ...rules, ...more)
  return checkRedisRights(`redis://ann:secret@127.0.0.1:${redis.port}`)
}

test('every command of the rules is tried, and no other', async () => {
  const allowed = [...(await aclRules('headlight')).matchAll(/ \+(\S+)/g)].map(([, name = '']) => name)
  expect(triedCommands.toSorted()).toEqual(allowed.toSorted())
})

test('a user with these rules may do all, and nothing is left', async () => {
  expect(await rightsWith()).toEqual([
    { name: 'Redis rights', ok: true, detail: 'the user may send all that headlight sends', remedy: null },
  ])
  expect(await admin.keys('*')).toEqual([])
})

test('each command that is missing is named, and dispensable ones are a note', async () => {
  const some = triedCommands.filter((_name, i) => i % 9 === 0)
  for (const name of [...some, 'script|load', 'multi', 'bzpopmin', 'del']) {
    const [first] = await rightsWith(`-${name}`)
    expect(first).toMatchObject({ ok: false, detail: `the user may not send ${name}` })
  }
  expect(await rightsWith('-client|list')).toMatchObject([{ ok: true, remedy: expect.any(String) as string }])
  expect(await rightsWith('-xadd', '-evalsha')).toMatchObject([{ detail: 'the user may not send evalsha, xadd' }])
})

test('a user of other keys is told so', async () => {
  const [first, ...others] = await rightsWith('resetkeys', '~bull:*')
  expect(first).toMatchObject({ ok: false, detail: 'the user may not use the keys that begin with {headlight}:' })
  expect(others).toEqual([])
})

test('of a server that does not answer, or that lets nobody in, the check of Redis tells', async () => {
  for (const url of ['redis://127.0.0.1:1', `redis://nobody:secret@127.0.0.1:${redis.port}`]) {
    expect(await checkRedisRights(url)).toEqual([])
  }
})

test('sentinels that do not answer, or that are none, end the check', async () => {
  // Asked again and again, none would ever be said.
  for (const port of [await freePort(), redis.port]) {
    expect(await checkRedisRights(`redis+sentinel://127.0.0.1:${port}/main`)).toEqual([])
  }
})
