import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { checkRedis } from '../../src/queue/checkRedis.ts'
import { redisConnection } from '../../src/queue/redisUrl.ts'
import { freePort, startTcpRedis, startTestRedis } from '../support/redis.ts'
import { startSentinel } from '../support/sentinels.ts'

let open: { port: number; stop(): Promise<void> }
let locked: { port: number; stop(): Promise<void> }
beforeAll(async () => {
  open = await startTcpRedis()
  locked = await startTcpRedis({
    settings: ['--requirepass', 'hunter2', '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
  })
  const client = new Redis({ port: locked.port, password: 'hunter2' })
  await client.call('ACL', 'SETUSER', 'ann', 'on', '>secret', '+ping', '-@all')
  client.disconnect()
})
afterAll(async () => {
  await open.stop()
  await locked.stop()
})

const fakes: Server[] = []
afterEach(() => {
  for (const fake of fakes.splice(0)) fake.close()
})

/** Something that listens but is no Redis that can be used. */
async function fake(server: Server): Promise<number> {
  fakes.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Answers every command as a Redis does whose INFO is `info`. */
const answering = (info: string) =>
  createServer((socket: Socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      for (const [command] of bytes.toString().matchAll(/^(ping|info|client|hello|select)$/gim)) {
        if (/ping/i.test(command)) socket.write('+PONG\r\n')
        else if (/info/i.test(command)) socket.write(`$${Buffer.byteLength(info)}\r\n${info}\r\n`)
        else if (/hello/i.test(command)) socket.write("-ERR unknown command 'HELLO'\r\n")
        else socket.write('+OK\r\n')
      }
    })
  })

async function refusal(url: string, timeoutMs?: number): Promise<string> {
  const error: unknown = await checkRedis(redisConnection(url), timeoutMs).then(
    () => new Error(`${url} was accepted`),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(InputError)
  expect(error).toMatchObject({ code: 'no-redis' })
  const { message } = error as InputError
  expect(message).not.toMatch(/hunter|secret/)
  expect(message).not.toContain('\n')
  return message
}

test('a server that can carry the queue is described', async () => {
  expect(await checkRedis(redisConnection(`redis://127.0.0.1:${open.port}/3`))).toEqual({
    server: expect.stringMatching(/^(redis|valkey)$/) as string,
    version: expect.stringMatching(/^\d+\.\d+/) as string,
    maxmemoryPolicy: 'noeviction',
    uptimeSeconds: expect.any(Number) as number,
    warning: null,
  })
})

test('a private server is one, too', async () => {
  const redis = await startTestRedis()
  expect((await checkRedis(redis.connection)).warning).toBeNull()
  await redis.stop()
})

test('a server that may throw keys away is warned about', async () => {
  const { warning } = await checkRedis(redisConnection(`redis://:hunter2@127.0.0.1:${locked.port}`))
  expect(warning).toMatch(/maxmemory-policy allkeys-lru .* set it to noeviction/)
})

test('nobody listens', async () => {
  expect(await refusal(`redis://127.0.0.1:${await freePort()}`)).toMatch(/nothing listens there/)
})

test('a socket that is not there', async () => {
  expect(await refusal('redis+unix:///tmp/no-such-folder/redis.sock')).toMatch(/no such socket/)
})

test('a host that has no address', async () => {
  expect(await refusal('redis://no-such-host.invalid')).toMatch(/host name that cannot be resolved/)
})

test('a password is missing', async () => {
  expect(await refusal(`redis://127.0.0.1:${locked.port}`)).toMatch(
    /wants a password; put it into the URL, redis:\/\/user:password@host, best by way of HEADLIGHT_REDIS\.?$/,
  )
})

test('a password is wrong', async () => {
  expect(await refusal(`redis://:hunter3@127.0.0.1:${locked.port}`)).toMatch(/refuses the user or password/)
  expect(await refusal(`redis://bob:hunter2@127.0.0.1:${locked.port}`)).toMatch(/refuses the user or password/)
})

test('a user may do too little', async () => {
  expect(await refusal(`redis://ann:secret@127.0.0.1:${locked.port}`)).toMatch(/widen its ACL/)
})

test('a database that is not there', async () => {
  expect(await refusal(`redis://127.0.0.1:${open.port}/99`)).toMatch(/no such database/)
})

test('TLS is spoken to a server without it', async () => {
  expect(await refusal(`rediss://127.0.0.1:${open.port}`, 1_000)).toMatch(
    /no TLS reply; .* or use redis:\/\/ if it speaks none/,
  )
})

test('a server with TLS is spoken to without it', async () => {
  expect(await refusal(`redis://127.0.0.1:${await fake(createTlsServer())}`)).toMatch(/if it speaks TLS, use rediss:/)
})

test('something listens but says nothing', async () => {
  const port = await fake(createServer())
  expect(await refusal(`redis://127.0.0.1:${port}`, 1_000)).toMatch(/does not answer; check host, port and firewall/)
})

test('a server is too old', async () => {
  const port = await fake(answering('redis_version:6.0.16\r\ncluster_enabled:0\r\n'))
  expect(await refusal(`redis://127.0.0.1:${port}`)).toMatch(/version 6\.0\.16; headlight needs 6\.2 or newer/)
})

test('a Valkey is known by its own version', async () => {
  const port = await fake(answering('redis_version:7.2.4\r\nvalkey_version:8.1.1\r\nmaxmemory_policy:noeviction\r\n'))
  expect(await checkRedis(redisConnection(`redis://127.0.0.1:${port}`))).toEqual({
    server: 'valkey',
    version: '8.1.1',
    maxmemoryPolicy: 'noeviction',
    uptimeSeconds: null,
    warning: null,
  })
})

test('a cluster is taken for a single server, or the reverse', async () => {
  const port = await fake(answering('redis_version:7.0.15\r\ncluster_enabled:1\r\n'))
  expect(await refusal(`redis://127.0.0.1:${port}`)).toMatch(/add \?cluster=1/)
  expect(await refusal(`redis://127.0.0.1:${open.port}?cluster=1`)).toMatch(/not a cluster/)
})

test('a replica is taken for the server', async () => {
  const replica = await startTcpRedis({ settings: ['--replicaof', `127.0.0.1 ${open.port}`] })
  try {
    expect(await refusal(`redis://127.0.0.1:${replica.port}`)).toMatch(
      /is a replica, which takes no writes; give the URL of its primary, or of its sentinels \(redis\+sentinel:.*\)$/,
    )
  } finally {
    await replica.stop()
  }
})

test('a sentinel is taken for the server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-sentinel-'))
  const port = await freePort()
  const stop = await startSentinel(folder, port, open.port)
  try {
    for (const end of ['', '/3', '?cluster=1']) {
      expect(await refusal(`redis://127.0.0.1:${port}${end}`)).toMatch(
        /is a sentinel, not the server that it watches; name its primary and put redis\+sentinel:\/\/HOST:PORT\/NAME/,
      )
    }
  } finally {
    await stop()
    await rm(folder, { recursive: true })
  }
})

test('what is named as sentinels is none', async () => {
  expect(await refusal(`redis+sentinel://127.0.0.1:${open.port}/main`)).toMatch(
    /what is named as its sentinels is none/,
  )
  const mute = await fake(createServer())
  const url = `redis+sentinel://127.0.0.1:${mute}/main`
  expect(await refusal(url, 200)).toMatch(/none of its sentinels answers|does not answer/)
})

test('one node of a cluster that answers is enough', async () => {
  const port = await fake(answering('redis_version:7.0.15\r\ncluster_enabled:1\r\n'))
  const url = `redis://127.0.0.1:${await freePort()}?cluster=1&node=127.0.0.1:${port}`
  expect(await checkRedis(redisConnection(url))).toMatchObject({ version: '7.0.15' })
  const nobody = `redis://127.0.0.1:${await freePort()}?cluster=1&node=127.0.0.1:${await freePort()}`
  expect(await refusal(nobody)).toMatch(/nothing listens there/)
})
