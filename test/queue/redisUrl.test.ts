import { expect, test } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { queuePrefix } from '../../src/queue/jobs.ts'
import { redisConnection } from '../../src/queue/redisUrl.ts'

const read = (url: string) => {
  const { redis, cluster, description } = redisConnection(url)
  return { redis, cluster, description }
}

test('host, port and database have defaults', () => {
  expect(read('redis://queue.example')).toEqual({
    redis: { host: 'queue.example', port: 6379, db: 0 },
    cluster: null,
    description: 'redis://queue.example:6379',
  })
  expect(redisConnection('redis://queue.example').prefix).toBe(queuePrefix)
})

test('user, password, port and database are read, and the password is not described', () => {
  expect(read('redis://ann:p%40ss%2F1@10.0.0.7:7000/5')).toEqual({
    redis: { host: '10.0.0.7', port: 7000, username: 'ann', password: 'p@ss/1', db: 5 },
    cluster: null,
    description: 'redis://ann@10.0.0.7:7000/5',
  })
  expect(read('redis://:secret@host').redis).toEqual({ host: 'host', port: 6379, password: 'secret', db: 0 })
})

test('rediss:// speaks TLS and names the server that the certificate must be for', () => {
  expect(read('rediss://queue.example:6380').redis).toEqual({
    host: 'queue.example',
    port: 6380,
    db: 0,
    tls: { servername: 'queue.example' },
  })
})

test('an IPv6 address loses its brackets', () => {
  expect(read('redis://[::1]:6379').redis.host).toBe('::1')
})

test('a Unix socket has a path, and takes its login from the query', () => {
  expect(read('redis+unix:///run/my%20redis/r.sock?db=2&user=ann&password=secret')).toEqual({
    redis: { path: '/run/my redis/r.sock', username: 'ann', password: 'secret', db: 2 },
    cluster: null,
    description: 'redis+unix://ann@/run/my redis/r.sock?db=2',
  })
})

test('a cluster is asked for by a parameter and may have several nodes to ask first', () => {
  expect(read('rediss://u:secret@a.example:7001?cluster=1&node=b.example&node=[::1]:7002')).toEqual({
    redis: {
      host: 'a.example',
      port: 7001,
      username: 'u',
      password: 'secret',
      db: 0,
      tls: { servername: 'a.example' },
    },
    cluster: [
      { host: 'a.example', port: 7001 },
      { host: 'b.example', port: 6379 },
      { host: '::1', port: 7002 },
    ],
    description: 'rediss://u@a.example:7001?cluster=1',
  })
})

test.each([
  ['localhost:6379', 'starts with localhost:'],
  ['nonsense', 'cannot be parsed'],
  ['http://host', 'starts with http:'],
  ['redis://', 'names no host'],
  ['redis://host/five', 'names the database "five"'],
  ['redis://host/-1', 'names the database "-1"'],
  ['redis://host?tls=1', 'parameter'],
  ['redis://host?cluster=yes', 'parameter'],
  ['redis://host/3?cluster=1', 'only database 0'],
  ['redis://host?node=other', 'does not say cluster=1'],
  ['redis://host?cluster=1&node=:x', 'no host:port'],
  ['redis+unix://run/redis.sock', 'three slashes'],
  ['redis+unix:///run/redis.sock?cluster=1', 'Unix socket'],
  ['redis://host:99999', 'cannot be parsed'],
  ['redis://%zz:x@host', 'escapes nothing'],
])('%s is refused, saying why', (url, why) => {
  expect(() => redisConnection(url)).toThrow(InputError)
  expect(() => redisConnection(url)).toThrow(why)
})

test('a refusal never repeats the password', () => {
  for (const url of [
    'redis://u:hunter2@host/five',
    'http://u:hunter2@host',
    'redis://u:hunter2@',
    'redis://h?password=hunter2&x=1',
  ]) {
    try {
      redisConnection(url)
      expect.unreachable(url)
    } catch (error) {
      expect(String(error)).not.toContain('hunter2')
    }
  }
})
