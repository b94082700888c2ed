import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { createLogger } from '../../src/base/telemetry.ts'
import { filesystemError } from '../../src/storage/filesystemErrors.ts'
import { openStore } from '../../src/storage/open.ts'
import type { ListOptions, Store } from '../../src/storage/store.ts'

const isRoot = process.getuid?.() === 0

describe('a folder as a store', () => {
  let root: string
  let store: Store

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'headlight-folder-'))
    store = openStore(root, { logger: createLogger('silent') })
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const keysOf = async (options?: ListOptions): Promise<string[]> => {
    const keys: string[] = []
    for await (const { key } of store.list(options)) keys.push(key)
    return keys
  }
  const file = async (path: string, bytes = 'x'): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), bytes)
  }

  it('has size and time of a file for its ETag', async () => {
    await file('a', 'xyz')
    await utimes(join(root, 'a'), 1_700_000_000, 1_700_000_000.25)
    expect((await store.head('a'))?.etag).toBe('3-1700000000250000000')
  })

  it('says that what was written so far is gone when somebody has removed it', async () => {
    const writer = store.write('folder/key')
    await writer.append(Buffer.from('x'))
    await rm(join(root, 'folder'), { recursive: true })
    await expect(writer.commit()).rejects.toMatchObject({ name: 'PlaceError', code: 'store-gone' })
    await writer.discard()
    expect(await keysOf()).toEqual([])
  })

  it('keeps a file and a folder of one name apart, also when one is written piece by piece', async () => {
    await file('a/b')
    const writer = store.write('a')
    await expect(writer.commit()).rejects.toMatchObject({ name: 'SampleError', code: 'bad-key' })
    await writer.discard()
    expect(await readdir(root)).toEqual(['a'])
  })

  it('follows links to files and folders, but not in circles', async () => {
    await file('real/deep/1.png')
    await symlink('deep/1.png', join(root, 'real/2.png'))
    await symlink('real', join(root, 'alias'))
    await symlink('..', join(root, 'real/deep/up'))
    await symlink('../..', join(root, 'real/deep/top'))
    await symlink('nowhere', join(root, 'broken'))
    await symlink('self', join(root, 'self'))
    expect(await keysOf()).toEqual(['alias/2.png', 'alias/deep/1.png', 'real/2.png', 'real/deep/1.png'])
    expect(await keysOf({ prefix: 'real/deep/up/' })).toEqual([])
    expect((await store.get('alias/2.png'))?.bytes.length).toBe(1)
  })

  it('leaves out what is no file, and does not hang on it', async () => {
    await file('a.png')
    execFileSync('mkfifo', [join(root, 'pipe.png')])
    expect(await keysOf()).toEqual(['a.png'])
    expect(await store.get('pipe.png')).toBeUndefined()
    expect(await store.head('pipe.png')).toBeUndefined()
  })

  it('leaves out names that are not UTF-8', async () => {
    await file('a.png')
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xe9, 0x2e, 0x70])]), 'x')
    expect(await keysOf()).toEqual(['a.png'])
  })

  it('tells of names that are not UTF-8, by folder, before anything in it, whoever asks for that', async () => {
    const bytes = (text: string) => Buffer.from(text, 'latin1')
    const put = (path: Buffer) => writeFile(Buffer.concat([Buffer.from(`${root}/`), path]), 'x')
    await file('a/b.png')
    // Two that look alike once they are written, one that really holds the character, and a folder of two.
    await put(bytes('a/\xe9.png'))
    await put(bytes('a/\xe8.png'))
    await file('a/\ufffd.jpg')
    await mkdir(Buffer.concat([Buffer.from(`${root}/`), bytes('caf\xe9')]))
    await put(bytes('caf\xe9/1.png'))
    await put(bytes('caf\xe9/\xe9.png'))
    const told: unknown[] = []
    for await (const { key } of store.list({ onUnnamed: (folder, keys) => told.push([folder, keys.toSorted()]) })) {
      told.push(key)
    }
    expect(told).toEqual([
      ['', ['caf\ufffd/1.png', 'caf\ufffd/\ufffd.png']],
      ['a/', ['a/\ufffd.png', 'a/\ufffd.png']],
      'a/b.png',
      'a/\ufffd.jpg',
    ])
    expect((await store.get('a/\ufffd.jpg'))?.bytes.length).toBe(1)
    expect(await keysOf()).toEqual(['a/b.png', 'a/\ufffd.jpg'])
  })

  it('lists a link that leads nowhere for whoever must not miss it, as what cannot be read', async () => {
    await file('a.png')
    await symlink('/nowhere/b.png', join(root, 'b.png'))
    await symlink('c.png', join(root, 'c.png'))
    const told: unknown[] = []
    for await (const info of store.list({ onUnnamed: (folder, keys) => told.push([folder, keys]) })) told.push(info)
    expect(told).toMatchObject([
      { key: 'a.png', sizeBytes: 1 },
      // What it was is not known: below a link to a folder nothing can be seen.
      ['b.png/', []],
      { key: 'b.png', etag: '', sizeBytes: 0 },
      ['c.png/', []],
      { key: 'c.png', etag: '', sizeBytes: 0 },
    ])
    expect(await keysOf()).toEqual(['a.png'])
  })

  it('refuses a file beside a folder of the same name, whichever comes second', async () => {
    await store.put('a/b', 'x')
    await expect(store.put('a', 'x')).rejects.toMatchObject({ name: 'SampleError', code: 'bad-key' })
    await expect(store.put('a/b/c', 'x')).rejects.toMatchObject({ name: 'SampleError', code: 'bad-key' })
    await expect(store.put('a', 'x', { ifAbsent: true })).resolves.toBe(false)
    expect(await readdir(root)).toEqual(['a'])
    expect(await readdir(join(root, 'a'))).toEqual(['.headlight-tmp-files', 'b'])
    expect(await readdir(join(root, 'a/.headlight-tmp-files'))).toEqual([])
  })

  it('refuses a name that is too long', async () => {
    const put = store.put('n'.repeat(256), 'x')
    await expect(put).rejects.toMatchObject({ name: 'SampleError', code: 'bad-key' })
    expect(await readdir(root)).toEqual([])
  })

  it('shows no half-written file, and takes old ones away', async () => {
    await store.put('a', 'x')
    const fresh = join(root, '.headlight-tmp-fresh')
    const stale = join(root, '.headlight-tmp-stale')
    await writeFile(fresh, 'x')
    await writeFile(stale, 'x')
    await utimes(stale, 1, 1)
    expect(await keysOf()).toEqual(['a'])
    await expect.poll(() => readdir(root)).toEqual(['.headlight-tmp-fresh', 'a'])
  })

  it('takes nothing away from a folder that it only reads', async () => {
    const stale = join(root, '.headlight-tmp-stale')
    await writeFile(stale, 'x')
    await utimes(stale, 1, 1)
    expect(await keysOf()).toEqual([])
    await expect(stat(stale)).resolves.toBeDefined()
  })

  it('keeps folders only as long as something is in them', async () => {
    await store.put('a/b/c', 'x')
    await file('a/other')
    await store.delete('a/b/c')
    expect(await readdir(join(root, 'a'))).toEqual(['other'])
    await store.delete('a/other')
    expect(await readdir(root)).toEqual([])
  })

  it('gives a new version a new ETag, even when the clock stands still or goes back', async () => {
    const first = String(await store.put('hold', '1'))
    await utimes(join(root, 'hold'), 4e9, 4e9)
    expect(await store.put('hold', '2', { ifMatch: first })).toBe(false)
    const second = await store.head('hold')
    expect(second?.etag).toBe('1-4000000000000000000')
    const third = await store.put('hold', '3', { ifMatch: second?.etag ?? '' })
    expect(third).toMatch(/^1-40000000000/)
    expect(third).not.toBe(second?.etag)
    expect((await store.head('hold'))?.etag).toBe(third)
  })

  it('breaks a lock that its owner left behind', async () => {
    const etag = await store.put('hold', '1')
    await store.put('hold', '2', { ifMatch: String(etag) })
    // The name is made from the key's; a process killed inside the lock leaves it.
    const { createHash } = await import('node:crypto')
    const digest = createHash('sha256').update('hold').digest('hex').slice(0, 24)
    await writeFile(join(root, `.headlight-tmp-lock-${digest}`), '')
    const second = await store.head('hold')
    expect(await store.put('hold', '3', { ifMatch: second?.etag ?? '' })).not.toBe(false)
    expect(await readdir(root)).toEqual(['hold'])
    expect(await readFile(join(root, 'hold'), 'utf8')).toBe('3')
  })

  describe('check', () => {
    it.runIf(existsSync('/proc/self'))('does not try for ever where no folder can be made', async () => {
      await expect(openStore('/proc/x/y').check('write')).rejects.toBeInstanceOf(InputError)
    })

    it('names a missing folder, and makes one to write into', async () => {
      const below = openStore(join(root, 'new/folder'))
      const missing = { name: 'InputError', code: 'no-such-bucket' }
      await expect(below.check('read')).rejects.toMatchObject(missing)
      await expect(below.get('x')).rejects.toMatchObject(missing)
      await expect(below.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject(missing)
      await below.check('write')
      expect(await readdir(join(root, 'new/folder'))).toEqual([])
      await below.check('read')
    })

    it('says that a file is no folder', async () => {
      await file('plain')
      for (const path of ['plain', 'plain/below']) {
        for (const access of ['read', 'write'] as const) {
          await expect(openStore(join(root, path)).check(access)).rejects.toMatchObject({
            name: 'InputError',
            code: 'no-such-bucket',
          })
        }
      }
    })

    it.skipIf(isRoot)('says that a folder is locked', async () => {
      await chmod(root, 0o000)
      const refused = { name: 'InputError', code: 'access-denied' }
      await expect(store.check('read')).rejects.toMatchObject(refused)
      await chmod(root, 0o500)
      await store.check('read')
      await expect(store.check('write')).rejects.toMatchObject(refused)
      await expect(store.put('x', 'x')).rejects.toMatchObject(refused)
      await chmod(root, 0o700)
    })
  })

  it.skipIf(isRoot)('tells one unreadable file from an unreadable place', async () => {
    await file('a/locked')
    await chmod(join(root, 'a/locked'), 0)
    expect(await keysOf()).toEqual(['a/locked'])
    await expect(store.get('a/locked')).rejects.toMatchObject({ name: 'SampleError', code: 'unavailable' })
    await chmod(join(root, 'a'), 0)
    await expect(keysOf()).rejects.toMatchObject({ name: 'InputError', code: 'access-denied' })
    await chmod(join(root, 'a'), 0o700)
  })

  it('takes a folder that goes away for a fault of the place, and makes no new one in its stead', async () => {
    await store.put('a', 'x')
    await store.check('read')
    await rm(root, { recursive: true })
    const gone = { name: 'PlaceError', code: 'store-gone' }
    await expect(store.get('a')).rejects.toMatchObject(gone)
    await expect(store.put('b', 'x')).rejects.toMatchObject(gone)
    await expect(store.check('write')).rejects.toMatchObject(gone)
    await expect(keysOf()).rejects.toMatchObject(gone)
    await mkdir(root)
    await store.put('b', 'x')
  })

  it.each([
    ['ENOSPC', 'PlaceError', 'disk-full'],
    ['EDQUOT', 'PlaceError', 'disk-full'],
    ['EROFS', 'InputError', 'access-denied'],
    ['EACCES', 'InputError', 'access-denied'],
    ['ENOTCONN', 'PlaceError', 'store-gone'],
    ['EIO', 'TransientError', 'store-busy'],
    ['EMFILE', 'TransientError', 'store-busy'],
  ])('takes %s for a %s %s', (code, name, expected) => {
    const error = filesystemError(Object.assign(new Error(code), { code }), 'write /x')
    expect(error).toMatchObject({
      name,
      code: expected,
      message: expect.stringContaining('cannot write /x: ') as string,
    })
  })
})
