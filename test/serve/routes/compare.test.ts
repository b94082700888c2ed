import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLogger } from '../../../src/base/telemetry.ts'
import { layout } from '../../../src/output/layout.ts'
import type * as App from '../../../src/serve/app.ts'
import type * as Output from '../../../src/serve/output.ts'
import type { CompareReply, Refusal, Waiting } from '../../../src/serve/wire.ts'
import { openStore } from '../../../src/storage/open.ts'
import type { Store } from '../../../src/storage/store.ts'
import { placeIn, putComparedRun, resultSetOf, runIds, type ComparedSample } from '../../support/comparedOutput.ts'

/** The comparison's thread needs the built program. */
const built = (path: string) => import(new URL(`../../../dist/serve/${path}`, import.meta.url).href)
const { buildApp } = (await built('app.js')) as typeof App
const { ServedOutput } = (await built('output.js')) as typeof Output

const hostile = '<img src=x onerror="alert(1)">#?%/\u202Ea.png'
const setA = resultSetOf({ id: 'a-all-00000001', network: 'a.pkl' })
const setB = resultSetOf({ id: 'b-all-00000002', network: 'b.pkl' })
const [first, second] = runIds

function samples(error: number): ComparedSample[] {
  const label = [0, 0, 0] as const
  return [
    { key: hostile, label, estimate: [10 * error, 0, 0], subject: '<b>one</b>', maps: [0.5] },
    { key: '__proto__', label, estimate: [error, 0, 0], subject: 'two', maps: [error] },
  ]
}

let folder: string
let output: Store

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headlight-serve-'))
  output = openStore(folder)
  await putComparedRun(output, setA, samples(1), { run: first })
  // The second night computed one of both again.
  const [again, kept] = samples(3)
  const rows = [
    { ...again!, fingerprint: 'f' },
    { ...kept!, estimate: [1, 0, 0] as const, place: placeIn(first, 1, 2) },
  ]
  await putComparedRun(output, setA, rows, { run: second, base: first })
  await putComparedRun(output, setB, samples(2), { run: first })
})
afterAll(async () => {
  output.close()
  await rm(folder, { recursive: true, force: true })
})

async function withApp(
  act: (get: (query: string) => Promise<Response>) => Promise<void>,
  onlySet: string | null = null,
) {
  const log = createLogger('silent')
  const cacheFolder = join(folder, 'cache')
  const served = new ServedOutput({
    output,
    onlySet,
    findRedis: async () => undefined,
    cacheFolder,
    headlightVersion: '0.0.0',
    log,
  })
  const asset = { path: '/asset', text: '', contentType: 'text/plain' }
  const app = buildApp({
    served,
    access: { token: null, allowedHosts: ['test'], basePath: '' },
    assets: { script: asset, style: asset, icon: asset },
  })
  try {
    await act(async (query) => app.request(`http://test/api/compare?${query}`, { headers: { host: 'test' } }))
  } finally {
    await served.close()
  }
}

/** As a browser asks: until it is there. */
async function compared(get: (query: string) => Promise<Response>, query: string): Promise<CompareReply> {
  for (;;) {
    const response = await get(query)
    const reply = (await response.json()) as CompareReply | Waiting
    expect([200, 202]).toContain(response.status)
    if (response.status === 200) return reply as CompareReply
  }
}

async function refusal(response: Response): Promise<Refusal['error']> {
  return ((await response.json()) as Refusal).error
}

it('shows two result sets as the page of the command does, with the images that changed most and their maps', () =>
  withApp(async (get) => {
    const reply = await compared(get, `a=${setA.id}/${first}&b=${setB.id}`)
    expect(reply.title).toBe('a.pkl → b.pkl')
    expect(reply.figures).toContain('<dt>images compared</dt><dd>2</dd>')
    expect(reply.sections.map(({ id }) => id)).toEqual(['difference', 'subjects', 'images', 'maps', 'made'])
    expect(reply.pose?.cells).toMatchObject([{ yaw: 0, pitch: 0, n: 2 }])
    expect(reply.a).toMatchObject({ set: setA.id, run: first, stateRun: second })
    expect(reply.objectives).toEqual(['yaw'])
    expect(reply.largest.map(({ key, delta, fates }) => [key, delta, fates])).toEqual([
      [hostile, 10 / 3, { a: 'overwritten', b: 'stands' }],
      ['__proto__', 1 / 3, { a: 'stands', b: 'stands' }],
    ])
    const html = [
      reply.sides,
      reply.figures,
      reply.pose?.text,
      reply.pose?.bands,
      ...reply.sections.map((section) => section.html),
    ].join('')
    expect(html).toContain('&lt;b&gt;one&lt;/b&gt;')
    expect(html).not.toContain('<b>one')
    expect(html).not.toMatch(/ style="| on\w+="|<script/)
  }))

it('compares the state with the state before it where only one is named', () =>
  withApp(async (get) => {
    const reply = await compared(get, `a=${setA.id}`)
    expect([reply.a.run, reply.b.run]).toEqual([first, second])
    expect(reply.largest.map(({ key }) => key)).toEqual([hostile])
  }))

it.each([
  ['a=', 400, /SET or SET\/RUN/],
  ['a=x/../y', 400, /SET or SET\/RUN/],
  [`a=${setA.id}/..`, 400, /SET or SET\/RUN/],
  ['a=..', 404, /shows no result set \.\.;/],
  ['a=other-all-00000003', 404, /holds no result set other-all-00000003;/],
  [`a=${setA.id}/nothing`, 404, /holds no run nothing; it has tables of/],
  [`a=${setB.id}`, 404, /so there is no state before it/],
  [`a=${setA.id}&b=${setB.id}&c=1`, 400, /does not take this query/],
])('refuses %s', (query, status, message) =>
  withApp(async (get) => {
    const response = await get(query)
    expect(response.status).toBe(status)
    expect((await refusal(response)).message).toMatch(message)
  }),
)

it('names no result set but the one that is shown', () =>
  withApp(async (get) => {
    expect((await compared(get, `a=${setA.id}`)).b.run).toBe(second)
    expect((await get(`a=${setA.id}&b=${setB.id}`)).status).toBe(404)
  }, setA.id))

it('says of a run whose table was removed what the command says', () =>
  withApp(async (get) => {
    const key = layout.runTable(setA.id, first)
    const table = await output.get(key)
    await output.delete(key)
    try {
      const response = await get(`a=${setA.id}/${first}&b=${setA.id}`)
      expect(response.status).toBe(404)
      expect((await refusal(response)).message).toMatch(
        new RegExp(
          `the table of run ${first} is no longer in .*--keep-runs removes those of older runs. It has tables of ${second}$`,
        ),
      )
    } finally {
      await output.put(key, table!.bytes)
    }
  }))
