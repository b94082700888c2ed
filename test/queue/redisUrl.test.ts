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

test('sentinels are listed, with the name of the primary that they know', () => {
  expect(read('redis+sentinel://a.example,b.example:7000,[::1]/main')).toEqual({
    redis: {
      sentinels: [
        { host: 'a.example', port: 26379 },
        { host: 'b.example', port: 7000 },
        { host: '::1', port: 26379 },
      ],
      name: 'main',
      db: 0,
    },
    cluster: null,
    description: 'redis+sentinel://a.example:26379,b.example:7000,[::1]:26379/main',
  })
})

test('the login of sentinels is not that of the server, and TLS is for both', () => {
  const url = 'rediss+sentinel://ann:p%40ss@a:1,b:2/main/3?sentinelUser=watch&sentinelPassword=secret%2F'
  expect(read(url)).toEqual({
    redis: {
      sentinels: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      name: 'main',
      sentinelUsername: 'watch',
      sentinelPassword: 'secret/',
      username: 'ann',
      password: 'p@ss',
      db: 3,
      tls: {},
      sentinelTLS: {},
      enableTLSForSentinelMode: true,
    },
    cluster: null,
    description: 'rediss+sentinel://ann@a:1,b:2/main/3',
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
  ['redis+sentinel://host', 'does not name the primary'],
  ['redis+sentinel:///main', 'names no host'],
  ['redis+sentinel://host,:x/main', 'no host:port'],
  ['redis+sentinel://host/main/0/1', 'does not name the primary'],
  ['redis+sentinel://host/main/five', 'names the database "five"'],
  ['redis+sentinel://host/main?cluster=1', 'behind sentinels'],
  ['redis://host?sentinelPassword=x', 'does not begin with redis+sentinel'],
])('%s is refused, saying why', (url, why) => {
  expect(() => redisConnection(url)).toThrow(InputError)
  expect(() => redisConnection(url)).toThrow(why)
})

// What stands after a / ? or # of a password that is not escaped is no longer the host's part of a URL.
test.each(
  ['#', '/', '?'].flatMap((mark) => ['hunter', 'h@nter', 'h:nter', '12', '12@3'].map((half) => `${half}${mark}two`)),
)('the password %s, not escaped, is refused with advice, and nothing of it is shown or looked up', (password) => {
  for (const [before, after] of [
    ['redis://:', '@host:6379/0'],
    ['rediss://ann:', '@host'],
    ['redis://:', '@host?cluster=1'],
    ['redis+sentinel://ann:', '@a:1,b:2/main'],
  ]) {
    const refuse = () => redisConnection(`${before}${password}${after}`)
    expect(refuse).toThrow(InputError)
    expect(refuse).toThrow('is not escaped; write @ : / ? # % of a user or password as %40 %3A %2F %3F %23 %25')
    expect(refuse).not.toThrow(/hunter|nter|two|12|ann/)
  }
})

test('what is unambiguous is read: more than one @ or : before the host', () => {
  expect(read('redis://ann:p@s:s@host').redis).toMatchObject({ host: 'host', username: 'ann', password: 'p@s:s' })
  expect(read('redis+sentinel://:p@s,s@a,b/main').redis).toMatchObject({ password: 'p@s,s', name: 'main' })
  expect(read('redis+unix:///run/a@b.sock?password=p@ss').redis).toMatchObject({
    path: '/run/a@b.sock',
    password: 'p@ss',
  })
})

test('a refusal never repeats the password', () => {
  for (const url of [
    'redis://u:hunter2@host/five',
    'http://u:hunter2@host',
    'redis://u:hunter2@',
    'redis://h?password=hunter2&x=1',
    'redis+unix:///run/redis.sock?password=a&hunter2=1',
    'redis+unix:///run/redis.sock?password=a#hunter2',
    'redis+unix://u:1/hunter2@/run/redis.sock',
    'hunter2:x@host',
    ':hunter2@host:6379',
    'ann:hunter2#x@host',
    'redis://host?cluster=1&node=u:hunter2@host',
  ]) {
    const refuse = () => redisConnection(url)
    expect(refuse).toThrow(InputError)
    expect(refuse).not.toThrow('hunter2')
  }
})
