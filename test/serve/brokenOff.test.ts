import { expect, it } from 'vitest'
import { buildApp } from '../../src/serve/app.ts'
import { listen } from '../../src/serve/listen.ts'
import type { Served } from '../../src/serve/routes/route.ts'

/** A server whose one table has a million rows, of which those from `failsAt` on cannot be read. */
async function served(failsAt: number, body: (get: () => Promise<Response>, warnings: string[]) => Promise<void>) {
  const warnings: string[] = []
  const row = { key: 'a.png', estimate: [], label: [], error: [], confidence: [] }
  const fake = {
    output: { uri: 'file:///out/' },
    onlySet: null,
    setOf: async () => ({}),
    runOf: async () => ({ run: 'RUN', stateRun: 'RUN' }),
    log: { warn: (_: object, message: string) => warnings.push(message) },
    tables: {
      of: async () => ({
        page: async (_: unknown, from: number, count: number) => {
          if (from >= failsAt) throw new Error('the thread of the table ended')
          return { count: 1_000_000, rows: from >= 1_000_000 ? [] : Array.from({ length: count }, () => row) }
        },
      }),
    },
  } as unknown as Served
  const asset = { path: '/asset', text: '', contentType: 'text/plain' }
  const app = buildApp({
    served: fake,
    access: { token: null, allowedHosts: ['127.0.0.1'], basePath: '' },
    assets: { script: asset, style: asset, icon: asset },
  })
  const listening = await listen(app, '127.0.0.1', 0)
  try {
    await body(() => fetch(`http://127.0.0.1:${listening.port}/api/sets/SET/rows.csv`), warnings)
  } finally {
    await listening.close()
  }
}

it.each([0, 2_000, 500_000])('a file whose row %i cannot be read does not end as if it were whole', (failsAt) =>
  served(failsAt, async (get, warnings) => {
    await expect(get().then((response) => response.text())).rejects.toThrow()
    expect(warnings).toEqual(['/api/sets/SET/rows.csv was broken off midway'])
  }),
)

it('a file that nobody fetches any more is read no further, and nobody is warned', () =>
  served(Infinity, async (get, warnings) => {
    const response = await get()
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    await reader?.cancel()
    expect(warnings).toEqual([])
  }))
