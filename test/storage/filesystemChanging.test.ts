import type * as FileSystem from 'node:fs/promises'
import { mkdtemp, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FilesystemStore } from '../../src/storage/filesystem.ts'

/** Called when a file was opened for reading and looked at, just before its first bytes are read. */
let beforeRead: ((path: string) => Promise<void>) | undefined

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof FileSystem>()
  const open = async (path: string, flags: string | number): Promise<FileHandle> => {
    const handle = await original.open(path, flags)
    const stat = handle.stat.bind(handle) as (options: { bigint: true }) => Promise<unknown>
    let looks = 0
    const watched = async (options: { bigint: true }): Promise<unknown> => {
      const stats = await stat(options)
      if (looks++ === 0 && typeof flags === 'number') await beforeRead?.(path)
      return stats
    }
    return Object.assign(handle, { stat: watched as FileHandle['stat'] })
  }
  return { ...original, open }
})

describe('a file that changes while it is read', () => {
  let root: string
  let store: FilesystemStore
  let changes: number

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'headlight-changing-'))
    store = new FilesystemStore(root)
    changes = 0
  })
  afterEach(async () => {
    beforeRead = undefined
    await rm(root, { recursive: true, force: true })
  })
  /** In place, as a careless writer does, `times` times. */
  const changeWhileRead = (times: number, bytes: (change: number) => string): void => {
    beforeRead = async (path) => {
      if (changes < times) await writeFile(path, bytes(++changes))
    }
  }

  it.each([
    ['of the same size', (change: number) => String(change)],
    ['longer each time', (change: number) => 'x'.repeat(change * 10)],
    ['shorter each time', (change: number) => 'x'.repeat(10 - change)],
  ])('is read again: versions %s', async (_, bytes) => {
    await writeFile(join(root, 'a'), bytes(0))
    changeWhileRead(2, bytes)
    // File times advance in ticks of some milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 20))
    const object = await store.get('a')
    expect(changes).toBe(2)
    expect(Buffer.from(object?.bytes ?? []).toString()).toBe(bytes(2))
    expect(object?.info).toEqual(await store.head('a'))
  })

  it('is passing trouble when it never rests', async () => {
    await writeFile(join(root, 'a'), '')
    changeWhileRead(Infinity, (change) => 'x'.repeat(change))
    await expect(store.get('a')).rejects.toMatchObject({ name: 'TransientError', code: 'store-busy' })
  })
})
