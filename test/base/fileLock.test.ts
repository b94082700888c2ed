import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findExecutable } from '../../src/base/executable.ts'
import { lockFile } from '../../src/base/fileLock.ts'

const searchPath = process.env.PATH ?? ''
let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headlight-lock-'))
  path = join(folder, 'a.lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const exclusive = (waitMs = 0) => lockFile(path, { kind: 'exclusive', waitMs, searchPath })
const shared = (waitMs = 0) => lockFile(path, { kind: 'shared', waitMs, searchPath })

test('an exclusive lock keeps everybody out until it is released', async () => {
  const first = await exclusive()
  expect(first).not.toBeNull()
  expect(await exclusive()).toBeNull()
  expect(await shared()).toBeNull()
  first?.release()
  const second = await exclusive()
  expect(second).not.toBeNull()
  second?.release()
})

test('shared locks keep out only an exclusive one', async () => {
  const [first, second] = [await shared(), await shared()]
  first?.release()
  expect(await exclusive()).toBeNull()
  second?.release()
  const third = await exclusive()
  expect(third).not.toBeNull()
  third?.release()
})

test('waiting ends when the lock is released, or without it after the given time', async () => {
  const first = await exclusive()
  expect(await exclusive(50)).toBeNull()
  const waiting = exclusive(30_000)
  first?.release()
  const second = await waiting
  expect(second).not.toBeNull()
  second?.release()
})

test('releasing twice does not close a file that was opened meanwhile', async () => {
  const first = await exclusive()
  first?.release()
  const second = await exclusive()
  expect(second?.fd).toBe(first?.fd)
  first?.release()
  expect(await exclusive()).toBeNull()
  second?.release()
})

test('a child that inherits the descriptor keeps the lock until it is killed', async () => {
  const lock = await exclusive()
  const child = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', lock?.fd] })
  await once(child, 'spawn')
  lock?.release()
  expect(await exclusive()).toBeNull()
  child.kill('SIGKILL')
  const after = await exclusive(30_000)
  expect(after).not.toBeNull()
  after?.release()
})

test('a file that cannot be opened is said so', async () => {
  path = join(folder, 'no-such-folder', 'a.lock')
  await expect(exclusive()).rejects.toThrow(/a\.lock cannot be locked \(Error: ENOENT/)
})

test('without the program flock a sentence says what to install', async () => {
  symlinkSync(findExecutable('sleep', searchPath) ?? '', join(folder, 'sleep'))
  await expect(lockFile(path, { kind: 'shared', waitMs: 0, searchPath: folder })).rejects.toThrow(
    /needs the program flock, .* install util-linux/,
  )
})
