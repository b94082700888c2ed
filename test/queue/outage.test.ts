import { expect, test } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { sayOutage } from '../../src/queue/outage.ts'
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
