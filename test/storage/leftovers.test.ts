import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { FilesystemStore } from '../../src/storage/filesystem.ts'
import type { Store } from '../../src/storage/store.ts'
import { bundled } from '../support/bundled.ts'

const folderName = '.headlight-tmp-files'
const none = () => false
let root: string
let store: Store

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'headlight-leftovers-'))
  store = new FilesystemStore(root)
})
afterEach(() => rm(root, { recursive: true, force: true }))

/** Where something in the making lies. */
async function leftovers(folder = root): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  return names
    .filter((name) => /\.headlight-tmp-(?!files)/.test(name))
    .map((name) => join(name, '..'))
    .toSorted()
}

async function keysOf(): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list()) keys.push(key)
  return keys
}

/** Another process that has begun to write an object. */
async function writerOf(key: string): Promise<ChildProcess> {
  const program = bundled(fileURLToPath(new URL('../support/folderClientMain.ts', import.meta.url)))
  const client = spawn(process.execPath, [program, root, 'half', key], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void client.kill('SIGKILL'))
  await once(client.stdout, 'data')
  client.stdin.write('go\n')
  await once(client.stdout, 'data')
  return client
}

describe('what a killed process leaves in a folder', () => {
  it('lies in one folder of its result set, and goes when its writer is dead', async () => {
    await store.put('set/maps/yaw/a/b.png', 'x')
    const keys = ['set/maps/yaw/a/c.png', 'set/maps/yaw/d.png', 'other/maps/yaw/e.png']
    const [dead] = await Promise.all(keys.map(writerOf))
    expect(await leftovers()).toEqual([`other/${folderName}`, `set/${folderName}`, `set/${folderName}`])
    if (dead === undefined) throw new Error('no writer was started')
    dead.kill('SIGKILL')
    await once(dead, 'exit')
    expect(await keysOf()).toEqual(['set/maps/yaw/a/b.png'])
    await store.removeLeftovers('set/', none)
    // The other writer lives, and the other result set was not asked for.
    expect(await leftovers()).toEqual([`other/${folderName}`, `set/${folderName}`])
  })

  it('goes after a day when its writer is of another machine or of an unknown one', async () => {
    const folder = join(root, 'set', folderName)
    await mkdir(folder, { recursive: true })
    const dayAgo = Date.now() / 1_000 - 25 * 3_600
    const elsewhere = (pid: number) => `.headlight-tmp-0123456789abcdef.${pid}.17.aa`
    for (const name of [elsewhere(1), elsewhere(2), '.headlight-tmp-unknown', '.headlight-tmp-unknown-old'])
      await writeFile(join(folder, name), 'x')
    for (const name of [elsewhere(2), '.headlight-tmp-unknown-old']) await utimes(join(folder, name), dayAgo, dayAgo)
    await store.removeLeftovers('set/', none)
    expect(await readdir(folder)).toEqual([elsewhere(1), '.headlight-tmp-unknown'].toSorted())
  })

  it('is looked for where nothing is, and beside anything', async () => {
    await store.removeLeftovers('set/', none)
    expect(await readdir(root)).toEqual([])
    await writeFile(join(root, 'set'), 'a file')
    await store.removeLeftovers('set/', none)
  })

  it('is nothing when all is done: the folder goes with the last that is deleted', async () => {
    await store.put('set/maps/a.png', 'x')
    await store.put('set/lock.json', 'x')
    await store.delete('set/lock.json')
    expect(await readdir(join(root, 'set'))).toEqual(['maps'])
    await store.put('set/lock.json', '1', { ifMatch: 'none' })
    expect(await readdir(join(root, 'set'))).toEqual(['maps'])
    await store.put('set/maps/b.png', 'x')
    for (const key of ['a', 'b']) await store.delete(`set/maps/${key}.png`)
    expect(await readdir(root)).toEqual([])
  })
})

it.skipIf(process.getuid?.() === 0)('maps are written where only their own folder is open to this user', async () => {
  await mkdir(join(root, 'set/maps'), { recursive: true })
  await chmod(join(root, 'set'), 0o500)
  onTestFinished(() => chmod(join(root, 'set'), 0o700))
  for (const key of ['set/maps/yaw/a.png', 'set/maps/b.png']) await store.put(key, 'x')
  expect(await keysOf()).toEqual(['set/maps/b.png', 'set/maps/yaw/a.png'])
  await expect(store.put('set/set.json', 'x')).rejects.toMatchObject({ code: 'access-denied' })
})

const isOther = (folder: string): boolean => existsSync(folder) && statSync(folder).dev !== statSync(tmpdir()).dev

describe.skipIf(!isOther('/dev/shm'))('folders on another file system (skipped without /dev/shm)', () => {
  let far: string
  beforeEach(async () => {
    far = await mkdtemp('/dev/shm/headlight-leftovers-')
    return () => rm(far, { recursive: true, force: true })
  })

  it.each(['set/maps', 'set/maps/yaw', 'set/maps/yaw/a', 'set/maps/yaw/a/b/c', 'set'])(
    '%s leads there: all is written as ever',
    async (link) => {
      await mkdir(join(root, link, '..'), { recursive: true })
      await symlink(far, join(root, link))
      const keys = ['set/maps/yaw/a/b/c/1.png', 'set/maps/yaw/a/b/c/2.png', 'set/set.json']
      for (const key of keys) expect(await store.put(key, 'once', { ifAbsent: true })).not.toBe(false)
      expect(await store.put(keys[0] ?? '', 'twice', { ifAbsent: true })).toBe(false)
      const etag = await store.put(keys[0] ?? '', 'thrice')
      expect(await store.put(keys[0] ?? '', 'again', { ifMatch: String(etag) })).not.toBe(false)
      const other = new FilesystemStore(root)
      for (const [writer, text] of [
        [other.write(keys[1] ?? ''), 'grown'],
        [other.write(keys[1] ?? ''), 'grown again'],
      ] as const) {
        await writer.append(Buffer.from(text))
        expect(await writer.commit()).toBe((await store.head(keys[1] ?? ''))?.etag)
        expect(Buffer.from((await store.get(keys[1] ?? ''))?.bytes ?? []).toString()).toBe(text)
      }
      expect(await keysOf()).toEqual(keys)
      expect([...(await leftovers()), ...(await leftovers(far))]).toEqual([])
    },
  )

  it.each(['set/maps', 'set/maps/yaw'])('%s leads there: what is left there is found', async (link) => {
    await mkdir(join(root, link, '..'), { recursive: true })
    await symlink(far, join(root, link))
    await store.put('set/maps/yaw/1.png', 'x')
    const writer = store.write('set/maps/yaw/2.png')
    await writer.append(Buffer.from('x'))
    const folder = join(far, folderName)
    expect((await readdir(folder)).length).toBe(1)
    await writer.discard()
    await writeFile(join(folder, '.headlight-tmp-old'), 'x')
    await utimes(join(folder, '.headlight-tmp-old'), 1, 1)
    await store.removeLeftovers('set/', none)
    expect(await readdir(folder)).toEqual([])
  })
})
