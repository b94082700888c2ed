import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putResultSet } from '../../../src/output/resultSet.ts'
import type { SetsReply } from '../../../src/serve/wire.ts'
import { headlight, inFolder, startHeadlight } from '../../support/headlight.ts'
import { makeResultSet, type Fixture } from '../../support/reportFixture.ts'

let fixture: Fixture

beforeAll(async () => {
  fixture = await makeResultSet({ samples: [] })
  await putResultSet(fixture.output, fixture.set)
})
afterAll(() => fixture?.remove())

/** The command on a free port, with what it says; it is stopped in the end, and has to end well. */
async function withServe(
  given: { readonly args?: readonly string[]; readonly shown?: string; readonly state: string },
  body: (address: URL) => Promise<void>,
): Promise<string> {
  const folders = ['--state-folder', join(given.state, 'state'), '--cache-folder', join(given.state, 'cache')]
  const shown = given.shown ?? fixture.output.uri
  const command = startHeadlight(['serve', shown, '--port', '0', ...folders, ...(given.args ?? [])])
  try {
    await body(new URL((await command.said('Ctrl-C ends the command')).trim()))
  } finally {
    command.kill('SIGTERM')
  }
  const { code, stderr } = await command.ended
  expect(code).toBe(0)
  return stderr
}

/** Result sets that a reader sees who opens an address and keeps its cookie. */
async function setsBehind(address: URL): Promise<string[]> {
  const entered = await fetch(address, { redirect: 'manual' })
  expect([entered.status, entered.headers.get('location')]).toEqual([303, '/'])
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { sets } = (await (await fetch(new URL('/api/sets', address), { headers: { cookie } })).json()) as SetsReply
  return sets.map(({ id }) => id)
}

describe('headlight serve', () => {
  it('prints an address that lets its reader in, and the same token at the next start', () =>
    inFolder(async (state) => {
      let token: string | null = null
      const said = await withServe({ state }, async (address) => {
        expect(address.hostname).toBe('localhost')
        token = address.searchParams.get('token')
        expect(await setsBehind(address)).toEqual([fixture.set.id])
        expect((await fetch(new URL('/api/sets', address))).status).toBe(401)
      })
      expect(said).toMatch(/also when you start it again, until 20\d\d-\d\d-\d\d\. Ctrl-C ends/)
      // A log line with the token would hand it to whoever collects logs.
      expect(said).not.toContain(token)
      await withServe({ state, shown: `${fixture.output.uri}${fixture.set.id}/` }, async (address) => {
        expect(address.searchParams.get('token')).toBe(token)
        expect(await setsBehind(address)).toEqual([fixture.set.id])
      })
    }))

  it('says which port and names the proxy is to use, and prints no token', () =>
    inFolder(async (state) => {
      const args = ['--behind-proxy', '--allow-host', 'heads.example.org,other.example', '--base-path', '/headlight']
      const said = await withServe({ state, args }, async (address) => {
        expect([address.pathname, address.search]).toEqual(['/headlight/', ''])
        expect(await (await fetch(new URL('healthz', address))).text()).toBe('alive\n')
        expect((await fetch(address)).status).toBe(403)
      })
      expect(said).toContain('requests for heads.example.org/headlight/ on to this address')
    }))

  it.each([
    [['--behind-proxy'], '--behind-proxy needs --allow-host'],
    [['--allow-host', 'https://heads.example.org'], 'https://heads.example.org is no host name'],
    [['--allow-host', 'heads.example.org:443'], 'heads.example.org:443 is no host name'],
    [['--base-path', 'headlight'], 'must be written as /PATH'],
    [['--base-path', '/headlight/'], 'must be written as /PATH'],
    [['--port', '70000'], '--port'],
    [['--host', '192.0.2.1'], '192.0.2.1 cannot be served'],
  ])('refuses %s in a sentence', (args, sentence) =>
    inFolder(async (state) => {
      const { code, stdout, stderr } = await headlight(['serve', fixture.output.uri, '--state-folder', state, ...args])
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toContain(sentence)
    }),
  )

  it('says what to do where something else listens on its port', () =>
    inFolder(async (state) => {
      const other = createServer().listen(0, '127.0.0.1')
      try {
        await once(other, 'listening')
        const { port } = other.address() as AddressInfo
        const args = ['serve', fixture.output.uri, '--state-folder', state, '--port', String(port)]
        const { code, stderr } = await headlight(args)
        expect([code, stderr]).toEqual([
          2,
          expect.stringContaining('something else listens there; --port takes another'),
        ])
      } finally {
        other.close()
      }
    }))

  it('refuses an output that is not there, before it listens', async () => {
    const { code, stdout } = await headlight(['serve', join(fixture.output.uri, 'nothing', 'here')])
    expect([code, stdout]).toEqual([2, ''])
  })
})
