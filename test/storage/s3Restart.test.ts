import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import { bundled } from '../support/bundled.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }
const program = bundled(fileURLToPath(new URL('../support/s3ServerMain.ts', import.meta.url)))
let server: ChildProcess | undefined

/** Returns the endpoint. */
async function startServer(port: number): Promise<string> {
  const started = spawn(process.execPath, [program, JSON.stringify({ ...credentials, port })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  server = started
  const [line] = (await once(started.stdout, 'data')) as [Buffer]
  return line.toString().trim()
}

async function killServer(): Promise<void> {
  if (server === undefined) return
  const exited = once(server, 'exit')
  server.kill('SIGKILL')
  await exited
  server = undefined
}

afterEach(killServer)

it('a service that is killed is passing trouble, and the same store works when it is back', async () => {
  const endpoint = await startServer(0)
  const store = openStore('s3://bucket', { endpoint, credentials })
  await store.put('key', 'x')
  await killServer()
  await expect(store.get('key')).rejects.toMatchObject({ name: 'TransientError', code: 'store-busy' })
  await expect(store.put('key', 'x')).rejects.toMatchObject({ name: 'TransientError', code: 'store-busy' })
  await startServer(Number(new URL(endpoint).port))
  await store.put('key', 'y')
  expect(Buffer.from((await store.get('key'))?.bytes ?? []).toString()).toBe('y')
  store.close()
})
