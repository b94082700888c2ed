import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { expect, it } from 'vitest'
import { createLogger } from '../../src/base/telemetry.ts'
import { sendWebhook } from '../../src/producer/webhook.ts'

const message = { schedule: 'nightly', outcome: 'skipped', message: 'held', summary: null } as const

/** Sends the message to a server that answers with these codes, one after the other. */
async function sent(codes: readonly number[], secret?: string, login = '') {
  const requests: { headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      requests.push({ headers: request.headers, body })
      response.writeHead(codes[requests.length - 1] ?? 200).end('answer')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  let logged = ''
  const log = createLogger('warn', { write: (line) => void (logged += line) })
  await sendWebhook({
    url: `http://${login}127.0.0.1:${port}/hidden-path`,
    secret,
    message,
    log,
    retrying: { firstMs: 1, longestMs: 16 },
  })
  server.closeAllConnections()
  server.close()
  return { requests, logged }
}

it('repeats until there is an answer, with the HMAC of exactly the body when there is a secret', async () => {
  const { requests, logged } = await sent([503, 429, 204], 'key')
  expect(requests).toHaveLength(3)
  const last = requests.at(-1)
  expect(JSON.parse(last?.body ?? '')).toEqual(message)
  const hmac = createHmac('sha256', 'key')
    .update(last?.body ?? '')
    .digest('hex')
  expect(last?.headers['x-headlight-signature']).toBe(`sha256=${hmac}`)
  expect(logged).toBe('')
})

it('logs in with what the URL says, and never shows it', async () => {
  const { requests, logged } = await sent([204], undefined, 'ann:p%40ss@')
  expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ann:p@ss').toString('base64')}`)
  expect(logged).toBe('')
  const refused = await sent([401], undefined, 'ann:p%40ss@')
  expect(refused.logged).toContain('status 401')
  expect(refused.logged).not.toMatch(/ann|ss@/)
})

it('gives up on a refusal at once, and on silence after a while; says so without the path', async () => {
  const refused = await sent([404])
  expect(refused.requests).toHaveLength(1)
  expect(refused.requests[0]?.headers['x-headlight-signature']).toBeUndefined()
  const busy = await sent(Array.from({ length: 20 }, () => 500))
  expect(busy.requests).toHaveLength(6)
  for (const { logged } of [refused, busy]) {
    expect(logged).toContain('could not be delivered')
    expect(logged).not.toContain('hidden-path')
  }
})
