import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { createLogger } from '../../src/base/telemetry.ts'
import { publish } from '../../src/output/current.ts'
import { putResultSet } from '../../src/output/resultSet.ts'
import { putSummary } from '../../src/output/summary.ts'
import type { Access } from '../../src/serve/access/access.ts'
import type * as AccessModule from '../../src/serve/access/token.ts'
import type * as AppModule from '../../src/serve/app.ts'
import type * as AssetsModule from '../../src/serve/assets.ts'
import type * as ListenModule from '../../src/serve/listen.ts'
import type * as OutputModule from '../../src/serve/output.ts'
import { compareKeys } from '../../src/storage/keyOrder.ts'
import type { Store } from '../../src/storage/store.ts'
import { putRunFile } from './comparedOutput.ts'
import { makeResultSet, putNight, runId, type Fixture, type FixtureSample } from './reportFixture.ts'

/** The threads of tables and comparisons need the built program. */
const built = (path: string) => import(new URL(`../../dist/serve/${path}`, import.meta.url).href)
const { buildApp } = (await built('app.js')) as typeof AppModule
const { ServedOutput } = (await built('output.js')) as typeof OutputModule
const { listen } = (await built('listen.js')) as typeof ListenModule
const { readAssets } = (await built('assets.js')) as typeof AssetsModule
const { Token } = (await built('access/token.js')) as typeof AccessModule

export const firstNight = runId
export const secondNight = '20261125T170000Z-5a0b2d'

/** Keys that would do harm where they are not taken for text. */
export const hostileKeys = [
  '<img src=x onerror="document.title=1">/a.png',
  'space and #?%25&+=/50%.png',
  '"quoted" \'keys\' `$(id)`.png',
  'rtl \u202egnp.exe/עברית.png',
  '__proto__',
  '頭/🙂.png',
]

/** Poses on a grid, subjects, failures, a label beyond the limit, and keys that would do harm. */
export function servedSamples(shift = 0): FixtureSample[] {
  const heads = Array.from({ length: 90 }, (_, i): FixtureSample => {
    const [yaw, pitch] = [15 * (i % 7) - 45, 15 * (Math.floor(i / 7) % 4) - 22]
    return {
      key: `heads/${String(i).padStart(3, '0')}.png`,
      label: [yaw, pitch, i % 5],
      estimate: [yaw + (i % 6) + shift, pitch - 1, 2],
      confidence: (i % 10) / 10,
      subject: `person ${i % 9}`,
      sequence: `take ${i % 4}`,
    }
  })
  const samples: FixtureSample[] = [
    ...heads,
    ...hostileKeys.map((key, i): FixtureSample => ({
      key,
      label: [20 + i, 5, 0],
      estimate: [20, 5, 0],
      subject: '<b>hostile</b>',
    })),
    { key: 'beyond.png', label: [120, 0, 0], estimate: [10, 0, 0], subject: 'person 1' },
    { key: 'no label.png', label: null },
    { key: 'bad.png', failed: { code: 'corrupt-image', message: '<script>document.title=2</script> ends early' } },
  ]
  // As the table of a run is.
  return samples.toSorted((a, b) => compareKeys(a.key, b.key))
}

/** A published result set in a folder, as a run leaves it: images, maps, table, aggregates and atlas. */
export async function servedOutput(): Promise<Fixture> {
  const picture = (colour: readonly [number, number, number], width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: { r: colour[0], g: colour[1], b: colour[2] } } })
      .png()
      .toBuffer()
  const fixture = await makeResultSet({
    samples: servedSamples(),
    objectives: ['yaw', 'pitch'],
    image: (i) => picture([200 - i, 120, 40 + i], 64, 48),
    map: (i) => picture([128, 100 + i, 128], 224, 224),
    aggregated: true,
  })
  const { output, set, summary } = fixture
  await putResultSet(output, set)
  await putRunFile(output, set, { run: firstNight, base: null, counts: summary.counts })
  await putSummary(output, set.id, summary)
  await publish(output, set.id, firstNight)
  return fixture
}

/** Publishes another night over the same images, whose estimates are off by more. */
export async function publishSecondNight({ output, set }: Fixture): Promise<void> {
  const summary = await putNight(output, set, secondNight, { samples: servedSamples(3), aggregated: true })
  await putRunFile(output, set, { run: secondNight, base: firstNight, counts: summary.counts })
  await putSummary(output, set.id, summary)
  await publish(output, set.id, secondNight)
}

export interface ServedApp {
  readonly port: number
  readonly token: string
  /** Of a path below the base path. */
  url(path: string): string
  /** With the cookie that a browser would have, and again as long as the answer takes a while. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  json<Reply>(path: string): Promise<Reply>
  close(): Promise<void>
}

/** Serves an output as the command does, on a free port of this machine. */
export async function servedApp(
  output: Store,
  { onlySet = null, access }: { readonly onlySet?: string | null; readonly access?: Partial<Access> } = {},
): Promise<ServedApp> {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-served-'))
  const log = createLogger('silent')
  const served = new ServedOutput({
    output,
    onlySet,
    findRedis: async () => undefined,
    cacheFolder: folder,
    headlightVersion: '0.0.0',
    log,
  })
  const token = new Token('t'.repeat(43), new Date(Date.now() + 3_600_000))
  const basePath = access?.basePath ?? ''
  const app = buildApp({
    served,
    access: { token, allowedHosts: [], basePath, ...access },
    assets: await readAssets(),
  })
  const listening = await listen(app, '127.0.0.1', 0)
  const { port } = listening
  const url = (path: string) => `http://localhost:${port}${basePath}${path}`
  const get: ServedApp['get'] = async (path, headers = {}) => {
    for (;;) {
      const cookie = `headlight-${port}=${token.text}`
      const response = await fetch(url(path), { headers: { cookie, ...headers }, redirect: 'manual' })
      if (response.status !== 202) return response
      await response.body?.cancel()
    }
  }
  return {
    port,
    token: token.text,
    url,
    get,
    json: async (path) => JSON.parse(await (await get(path)).text()) as never,
    close: async () => {
      await listening.close()
      await served.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
