import { expect, test } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { sayBack, sayOutage } from '../../src/queue/outage.ts'
import { redisConnection } from '../../src/queue/redisUrl.ts'

test('an outage is said once, in a sentence of our own, and the next one again', () => {
  const connection = redisConnection('redis://me:hunter2@queue:6379')
  const said: string[] = []
  const log = createLogger('warn', { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) })
  const refused = () => Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' })
  const offline = new Error("Stream isn't writeable and enableOfflineQueue options is false")
  sayOutage(connection, log, offline, 0)
  expect(said).toEqual([])
  // Several clients, several attempts.
  for (let ms = 0; ms < 120_000; ms += 5_000) {
    sayOutage(connection, log, refused(), ms)
    sayOutage(connection, log, offline, ms)
  }
  expect(said).toEqual([
    expect.stringMatching(/^Redis at redis:.*does not answer: nothing listens there.*; work goes on/),
  ])
  expect(said.join()).not.toMatch(/hunter2|writeable/)
  sayOutage(connection, log, new Error('could not renew lock for job 1'), 130_000)
  sayOutage(connection, log, refused(), 400_000)
  expect(said).toHaveLength(2)
})

test('sentinels that do not answer are said once, whichever attempt it is', () => {
  const connection = redisConnection('redis+sentinel://queue/main')
  const said: string[] = []
  const log = createLogger('warn', { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) })
  for (let attempt = 1; attempt < 20; attempt++) {
    const message = `All sentinels are unreachable. Retrying from scratch after ${10 * attempt}ms.`
    // The first is said by a client that had come to the end of its list, and has asked nobody.
    sayOutage(connection, log, new Error(message), 2 * attempt)
    sayOutage(connection, log, new Error(`${message} Last error: connect ECONNREFUSED`), 2 * attempt + 1)
  }
  expect(said).toEqual([expect.stringMatching(/ none of its sentinels answers; .*; work goes on when it is back$/)])
})

test('a server that takes connections and answers nothing is said once, whoever notices it after however long', () => {
  const connection = redisConnection('redis://queue:6379')
  const said: string[] = []
  const log = createLogger('warn', { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) })
  const silent = "Socket timeout. Expecting data, but didn't receive any in 30000ms."
  for (let ms = 0; ms < 300_000; ms += 32_000) {
    sayOutage(connection, log, new Error(silent), ms)
    sayOutage(connection, log, new Error('no reply'), ms + 10)
  }
  expect(said).toEqual([
    'Redis at redis://queue:6379 does not answer; check host, port and firewall, or use rediss:// if it speaks TLS; work goes on when it is back',
  ])
})

test('a primary that does not answer is the business of the sentinels, not of the URL', () => {
  const connection = redisConnection('redis+sentinel://queue/main')
  const said: string[] = []
  const log = createLogger('warn', { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) })
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' })
  for (const error of [refused, refused, new Error('Socket timeout. Expecting data')]) sayOutage(connection, log, error)
  expect(said).toEqual([
    'Redis at redis+sentinel://queue:26379/main has no primary now: the one that its sentinels name does not answer, and a new one is looked for; work goes on when it is back',
  ])
})

test('that Redis is back is said once, where it was said that it is away', () => {
  const connection = redisConnection('redis://queue:6379')
  const said: string[] = []
  const log = createLogger('warn', { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) })
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' })
  sayBack(connection, log, 0)
  expect(said).toEqual([])
  sayOutage(connection, log, refused, 1_000)
  for (const ms of [2_000, 2_100, 2_200]) sayBack(connection, log, ms)
  expect(said).toHaveLength(2)
  expect(said[1]).toBe('Redis at redis://queue:6379 answers again')
  // Clients that are let in and turned away, again and again, are not in a new outage each time.
  for (let ms = 3_000; ms < 60_000; ms += 2_000) {
    sayOutage(connection, log, refused, ms)
    sayBack(connection, log, ms + 1_000)
  }
  expect(said).toHaveLength(2)
  // A minute later it is a new one, though less than the silence after which all are.
  sayOutage(connection, log, refused, 120_000)
  expect(said).toHaveLength(3)
  sayBack(connection, log, 121_000)
  expect(said).toHaveLength(4)
})
