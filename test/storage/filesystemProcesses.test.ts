import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import { bundled } from '../support/bundled.ts'

type Client = ChildProcessByStdio<Writable, Readable, null>

describe('several processes in one folder', () => {
  let root: string
  const clients: Client[] = []

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'headlight-processes-'))
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.kill('SIGKILL')
    await rm(root, { recursive: true, force: true })
  })

  const start = async (work: string, count: number): Promise<Client[]> => {
    const program = bundled(fileURLToPath(new URL('../support/folderClientMain.ts', import.meta.url)))
    const started = Array.from({ length: count }, (_, i) =>
      spawn(process.execPath, [program, root, work, `client ${i}`], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    )
    clients.push(...started)
    await Promise.all(started.map((client) => once(client.stdout, 'data')))
    for (const client of started) client.stdin.write('go\n')
    return started
  }
  const outputOf = async (client: Client): Promise<unknown> => {
    const [line] = (await once(client.stdout, 'data')) as [Buffer]
    return JSON.parse(line.toString())
  }

  it('only one wins each claim', async () => {
    const started = await start('claim', 4)
    const won = (await Promise.all(started.map(outputOf))) as number[][]
    expect(won.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    const store = openStore(root)
    for (const [client, claims] of won.entries()) {
      for (const claim of claims) {
        const holder = await store.get(`claims/${claim}`)
        expect(Buffer.from(holder?.bytes ?? []).toString()).toBe(`client ${client}`)
      }
    }
  })

  it('no replacement is lost', async () => {
    const store = openStore(root)
    await store.put('counter', '000000000')
    const started = await start('count', 4)
    await Promise.all(started.map(outputOf))
    expect(Buffer.from((await store.get('counter'))?.bytes ?? []).toString()).toBe('000000200')
  })

  it('a killed writer leaves the whole old or the whole new version, and nothing in the listing', async () => {
    const store = openStore(root)
    for (let round = 0; round < 5; round++) {
      const [writer] = await start('overwrite', 1)
      await expect.poll(() => store.head('big')).toBeDefined()
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60))
      writer?.kill('SIGKILL')
      if (writer !== undefined) await once(writer, 'exit')
      const bytes = Buffer.from((await store.get('big'))?.bytes ?? []).toString()
      const digit = bytes.charAt(0)
      expect(bytes).toBe(digit.repeat(1_000_000 + Number(digit)))
      const keys: string[] = []
      for await (const { key } of store.list()) keys.push(key)
      expect(keys).toEqual(['big'])
    }
  })
})
