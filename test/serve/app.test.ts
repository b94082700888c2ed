import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { standingToken } from '../../src/serve/access/token.ts'
import { addresses } from '../../src/serve/addresses.ts'
import { everything } from '../../src/serve/selection.ts'
import type { Refusal, RowsReply, RunsReply, SampleReply, SetReply, SetsReply } from '../../src/serve/wire.ts'
import type { Fixture } from '../support/reportFixture.ts'
import {
  firstNight,
  hostileKeys,
  publishSecondNight,
  secondNight,
  servedApp,
  servedOutput,
  servedSamples,
  type ServedApp,
} from '../support/servedApp.ts'

let fixture: Fixture
let app: ServedApp
let set: string

beforeAll(async () => {
  fixture = await servedOutput()
  set = fixture.set.id
  app = await servedApp(fixture.output)
})
afterAll(async () => {
  await app?.close()
  await fixture?.remove()
})

/** With headers that fetch would not send. */
async function raw(path: string, headers: Readonly<Record<string, string>>, method = 'GET', port = app.port) {
  return new Promise<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }>(
    (resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        let text = ''
        response.on('data', (chunk) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      })
      sent.on('error', reject)
      sent.end()
    },
  )
}

const cookie = () => `headlight-${app.port}=${app.token}`

describe('who may look', () => {
  it.each([
    ['no token', {}],
    ['a cookie of another port', { cookie: `headlight-1=${'t'.repeat(43)}` }],
    ['a wrong cookie', { cookie: 'headlight-PORT=wrong' }],
  ])('nobody with %s', async (_, headers) => {
    const given = Object.fromEntries(
      Object.entries(headers as Record<string, string>).map(([k, v]) => [k, v.replace('PORT', String(app.port))]),
    )
    const host = `localhost:${app.port}`
    for (const path of [
      '/',
      `/sets/${set}/browse`,
      '/api/sets',
      addresses.picture(set, firstNight, 'heads/001.png', 'card'),
    ]) {
      const { status, text } = await raw(path, { host, ...given })
      expect(status).toBe(401)
      expect(text).toContain('printed')
      expect(text).not.toContain(set)
    }
    expect((await raw('/?token=wrong', { host, ...given })).status).toBe(401)
  })

  it('whoever opens the printed address, from then on by a cookie that no script can read', async () => {
    const host = `localhost:${app.port}`
    const { status, headers } = await raw(`/sets/${set}?run=${firstNight}&token=${app.token}`, { host })
    expect([status, headers['location']]).toEqual([303, `/sets/${set}?run=${firstNight}`])
    const [set1 = ''] = headers['set-cookie'] as string[]
    expect(set1).toMatch(new RegExp(`^headlight-${app.port}=t{43}; Path=/; Max-Age=\\d+; HttpOnly; SameSite=Lax$`))
    expect((await raw('/api/sets', { host, cookie: set1.split(';')[0] ?? '' })).status).toBe(200)
  })

  it('nobody is led to another host by an address that begins with two slashes', async () => {
    const { headers } = await raw(`//evil.example/?token=${app.token}`, { host: `localhost:${app.port}` })
    expect(headers['location']).toBe('/evil.example/')
  })

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80', 'localhost:80:90'])(
    'nobody who calls the server %s, with the right cookie and token too',
    async (host) => {
      const { status, text } = await raw(`/api/sets?token=${app.token}`, { host, cookie: cookie() })
      expect([400, 403]).toContain(status)
      expect(text).not.toContain(set)
    },
  )

  it.each(['localhost', '127.0.0.1:9', '[::1]:8470', 'LOCALHOST:1'])('whoever calls it %s', async (host) => {
    const port = /:(\d+)$/.exec(host)?.[1] ?? '80'
    expect((await raw('/api/sets', { host, cookie: `headlight-${port}=${app.token}` })).status).toBe(200)
  })

  it('anybody behind a proxy, by its name and below its path alone', async () => {
    const behind = await servedApp(fixture.output, {
      access: { token: null, allowedHosts: ['heads.example.org'], basePath: '/headlight' },
    })
    try {
      const ask = (path: string, host = 'heads.example.org') => raw(path, { host }, 'GET', behind.port)
      expect((await ask('/headlight/api/sets')).status).toBe(200)
      expect((await ask('/headlight/')).text).toContain('<meta name="base-path" content="/headlight">')
      expect((await ask('/headlight/')).text).toContain('src="/headlight/assets/app-')
      expect((await ask('/headlight/api/sets', 'localhost')).status).toBe(403)
      expect((await ask('/api/sets')).status).toBe(404)
      expect((await ask('/headlight/healthz', 'whatever')).text).toBe('alive\n')
    } finally {
      await behind.close()
    }
  })

  it('keeps its token over a restart while it lives, where only this user reads it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headlight-token-'))
    try {
      const now = new Date('2026-11-30T00:00:00Z')
      const first = await standingToken(folder, now)
      expect((await stat(join(folder, 'serve-token'))).mode & 0o777).toBe(0o600)
      const later = new Date(now.getTime() + 29 * 86_400_000)
      expect((await standingToken(folder, later)).text).toBe(first.text)
      const tooLate = new Date(now.getTime() + 31 * 86_400_000)
      expect(first.matches(first.text, tooLate)).toBe(false)
      const second = await standingToken(folder, tooLate)
      expect(second.text).not.toBe(first.text)
      await writeFile(join(folder, 'serve-token'), 'broken')
      expect((await standingToken(folder, tooLate)).text).not.toBe(second.text)
      expect(JSON.parse(await readFile(join(folder, 'serve-token'), 'utf8'))).toHaveProperty('until')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('every answer', () => {
  it('allows the page its own server and nothing else', async () => {
    for (const path of [
      '/',
      '/api/sets',
      '/nothing',
      addresses.picture(set, firstNight, 'heads/001.png', 'map', 'yaw'),
    ]) {
      const { headers } = await app.get(path)
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      )
      expect(headers.get('content-security-policy')).not.toContain('unsafe')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
    expect(await (await app.get('/')).text()).not.toMatch(/<style|style=|<script>/)
  })

  it('sends a picture once, and then only if it is another', async () => {
    const path = addresses.picture(set, firstNight, 'heads/001.png', 'card')
    const first = await app.get(path)
    const tag = first.headers.get('etag') ?? ''
    expect((await first.arrayBuffer()).byteLength).toBeGreaterThan(0)
    // As a browser asks, as one that holds several, and as a proxy that compresses.
    for (const header of [tag, `"other", ${tag}`, `W/${tag}`]) {
      expect((await app.get(path, { 'if-none-match': header })).status).toBe(304)
    }
    expect((await app.get(path, { 'if-none-match': '"other"' })).status).toBe(200)
  })

  it('is small where it is text, and as it is where it is a picture or a file', async () => {
    const encoding = async (path: string) => (await app.get(path)).headers.get('content-encoding')
    expect(await encoding(addresses.setReply(set, null))).toBe('gzip')
    expect(await encoding(/src="([^"]+\.js)"/.exec(await (await app.get('/')).text())?.[1] ?? '')).toBe('gzip')
    expect(await encoding(addresses.picture(set, firstNight, 'heads/001.png', 'card'))).toBeNull()
    expect(await encoding(addresses.csv(set, null, everything))).toBeNull()
  })

  it('only shows: any other method is refused', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status } = await raw('/api/sets', { host: `localhost:${app.port}`, cookie: cookie() }, method)
      expect(status).toBe(405)
    }
  })

  it.each([
    ['/api/sets?x=1', 400],
    ['/api/sets/SET/rows?count=501', 400],
    ['/api/sets/SET/rows?from=-1', 400],
    ['/api/sets/SET/rows?sort=size', 400],
    ['/api/sets/SET/rows?poseYaw=40', 400],
    ['/api/sets/SET/rows?run=../../other/runs/x', 400],
    ['/api/sets/SET/rows?run=20200101T000000Z-000000', 404],
    ['/api/sets/..%2F..%2Fetc/rows', 404],
    ['/api/sets/%2e%2e/rows', 404],
    ['/api/sets/nothing/rows', 404],
    ['/api/nothing', 404],
  ])('says in a sentence why it is none: %s', async (path, status) => {
    const response = await app.get(path.replace('SET', set))
    const { error } = (await response.json()) as Refusal
    expect(response.status).toBe(status)
    expect(error.message).toMatch(/\w.+/)
    expect(error.message).not.toContain('\n')
  })
})

describe('what is shown', () => {
  it('the sets of the output, and one set whole', async () => {
    const { sets } = await app.json<SetsReply>('/api/sets')
    expect(sets).toHaveLength(1)
    expect(sets[0]).toMatchObject({ id: set, stateRun: firstNight, images: 99, failed: 1, problem: null })
    const reply = await app.json<SetReply>(addresses.setReply(set, null))
    expect(await app.json<RunsReply>(addresses.runsReply(set))).toEqual({ runs: reply.runs })
    expect(reply.runs.map(({ run, hasTable }) => [run, hasTable])).toEqual([[firstNight, true]])
    expect(reply.atlas?.pictures.map(({ view, objective }) => `${view} ${objective}`)).toContain('mean yaw')
    for (const { path } of reply.atlas?.pictures ?? []) {
      const picture = await app.get(path)
      expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/webp'])
    }
    expect(JSON.stringify(reply.charts)).not.toContain('<b>hostile</b>')
  })

  it('one result set alone where it is named, and no other', async () => {
    const alone = await servedApp(fixture.output, { onlySet: 'another' })
    expect((await alone.get(addresses.setReply(set, null))).status).toBe(404)
    await alone.close()
  })

  it('images of a selection, in order, and the same ones as a file', async () => {
    const selection = {
      ...everything,
      subjects: ['person 7'],
      ranges: { absPoseYaw: { from: 30, to: null } },
      sort: 'absErrorYaw',
      isDescending: true,
    } as const
    const reply = await app.json<RowsReply>(addresses.rowsReply(set, null, selection, 0, 10))
    const expected = servedSamples()
      .filter(({ subject, label }) => subject === 'person 7' && Math.abs(label?.[0] ?? 0) >= 30)
      .map(({ key, label, estimate }) => ({ key, error: Math.abs((estimate?.[0] ?? 0) - (label?.[0] ?? 0)) }))
      .toSorted((a, b) => b.error - a.error)
    expect(reply.rows.map(({ key }) => key)).toEqual(expected.map(({ key }) => key))
    const csv = await (await app.get(addresses.csv(set, null, selection))).text()
    expect(
      csv
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(',')[0]),
    ).toEqual(expected.map(({ key }) => key))
  })

  it('keys as they are, in a file whose cells stay cells', async () => {
    const response = await app.get(addresses.csv(set, null, { ...everything, subjects: ['<b>hostile</b>'] }))
    expect(response.headers.get('content-disposition')).toContain('attachment')
    const csv = await response.text()
    for (const key of hostileKeys) expect(csv).toContain(/[",]/.test(key) ? `"${key.replaceAll('"', '""')}"` : key)
  })

  it.each(hostileKeys)('all of the image %s', async (key) => {
    const reply = await app.json<SampleReply>(addresses.sampleReply(set, firstNight, key, everything, null))
    expect(reply.row.key).toBe(key)
    expect(reply.maps.map(({ fate }) => fate)).toEqual(['stands', 'stands'])
    for (const show of ['card', 'image', 'input', 'map', 'overlay'] as const) {
      const picture = await app.get(addresses.picture(set, firstNight, key, show, 'pitch'))
      expect([picture.status, picture.headers.get('content-type')]).toEqual([
        200,
        show === 'map' ? 'image/png' : 'image/webp',
      ])
    }
  })

  it('no picture of what the table does not hold, whatever lies there', async () => {
    await fixture.dataset.put('secret.png', 'not in the table')
    for (const key of ['secret.png', '../output/secret', `../${set}/set.json`, 'heads/', '']) {
      const { status } = await app.get(addresses.picture(set, firstNight, key, 'image'))
      expect([400, 404]).toContain(status)
    }
    expect((await app.get(addresses.picture(set, firstNight, 'bad.png', 'card'))).status).toBe(404)
    expect((await app.get(addresses.picture(set, firstNight, 'heads/001.png', 'card', 'roll'))).status).toBe(400)
  })

  it('no picture of what is no image any more, and says so', async () => {
    await fixture.dataset.put('heads/010.png', 'no image')
    await fixture.dataset.delete('heads/011.png')
    for (const key of ['heads/010.png', 'heads/011.png']) {
      const response = await app.get(addresses.picture(set, firstNight, key, 'card'))
      const { error } = (await response.json()) as Refusal
      expect([response.status, error.message.length > 10]).toEqual([404, true])
    }
  })
})

it('shows the rows of a night as they were, while another publishes its table', async () => {
  const before = await app.json<RowsReply>(addresses.rowsReply(set, firstNight, everything, 0, 5))
  await publishSecondNight(fixture)
  const after = await app.json<RowsReply>(addresses.rowsReply(set, firstNight, everything, 0, 5))
  expect(after).toEqual({ ...before, stateRun: secondNight })
  const now = await app.json<RowsReply>(addresses.rowsReply(set, null, everything, 0, 5))
  expect([now.run, now.rows.map(({ key }) => key)]).toEqual([secondNight, before.rows.map(({ key }) => key)])
  // The maps lie under the key of their image: nobody wrote down whether these are still the first night's.
  const sample = (run: string) =>
    app.json<SampleReply>(addresses.sampleReply(set, run, 'heads/001.png', everything, null))
  const [old, fresh] = [await sample(firstNight), await sample(secondNight)]
  expect((fresh.row.estimate[0] ?? 0) - (old.row.estimate[0] ?? 0)).toBe(3)
  expect(old.maps[0]?.fate).toBe('unknown')
  expect((await app.get(addresses.picture(set, firstNight, 'heads/001.png', 'map'))).status).toBe(404)
  expect((await app.get(addresses.picture(set, firstNight, 'heads/001.png', 'input'))).status).toBe(200)
})
