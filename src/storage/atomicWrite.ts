import { createHash } from 'node:crypto'
import { link, open, rename, stat, unlink, utimes } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { TransientError } from '../base/errors.ts'
import { errnoOf } from './filesystemErrors.ts'
import { etagOf } from './folderListing.ts'
import { ownTemporaryName } from './temporaryFiles.ts'
import { temporaryName } from './temporaryName.ts'

/** A lock is held for three system calls; one that stays for this long was left behind by a killed process. */
const staleLockMs = 10_000
const lockWaitLimitMs = 30_000

export type Condition = { readonly kind: 'absent' } | { readonly kind: 'match'; readonly etag: string }

/**
 * Writes a whole file or nothing: to a temporary name in `folder`, then renamed. Readers see the old bytes or
 * the new ones, also across `kill -9`. Nothing is fsynced: the page cache outlives any process, so kills need none; a
 * power loss may cost the last seconds of writing.
 *
 * Raises the raw system error; both folders must exist, and lie on one file system (EXDEV).
 *
 * @returns the new ETag, `false` when the condition did not hold (nothing is changed then)
 */
export async function writeAtomically(
  path: string,
  bytes: Uint8Array | string,
  condition: Condition | undefined,
  folder: string,
): Promise<string | false> {
  const temporary = join(folder, await ownTemporaryName())
  const handle = await open(temporary, 'wx')
  let renamed = false
  try {
    let etag: string
    try {
      await handle.writeFile(bytes)
      etag = etagOf(await handle.stat({ bigint: true }))
    } finally {
      await handle.close()
    }
    if (condition === undefined) {
      await rename(temporary, path)
      renamed = true
      return etag
    }
    if (condition.kind === 'absent') return (await linkUnlessThere(temporary, path)) && etag
    return await withLock(path, async () => {
      const present = await statOrUndefined(path)
      if (present === undefined || etagOf(present) !== condition.etag) return false
      // File times advance in ticks of some milliseconds: two versions of one size could otherwise share an ETag, and
      // the next comparison would hold for both.
      const replacement = await stat(temporary, { bigint: true })
      if (replacement.mtimeNs <= present.mtimeNs) {
        const later = Number(present.mtimeNs / 1_000_000n + 1n) / 1_000
        await utimes(temporary, later, later)
        etag = etagOf(await stat(temporary, { bigint: true }))
      }
      await rename(temporary, path)
      renamed = true
      return etag
    })
  } finally {
    if (!renamed) await unlinkIfThere(temporary)
  }
}

/** `link` fails where the name exists, in one step and among all processes; `rename` would replace it. */
async function linkUnlessThere(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    const errno = errnoOf(error) ?? ''
    if (errno === 'EEXIST') return false
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errno)) throw error
  }
  // FAT and some network file systems have no links.
  return withLock(path, async () => {
    if ((await statOrUndefined(path)) !== undefined) return false
    await rename(temporary, path)
    return true
  })
}

/**
 * Runs `action` while no other process does so for the same path. The lock is a file created exclusively beside it. One
 * left by a killed process is taken away by whoever has seen the very same lock for long: this compares no clocks, of
 * which a network mount has several.
 */
async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const name = createHash('sha256').update(basename(path)).digest('hex').slice(0, 24)
  const lock = join(dirname(path), temporaryName(`lock-${name}`))
  const deadline = performance.now() + lockWaitLimitMs
  let seen: { identity: string; since: number } | undefined
  while (!(await createExclusively(lock))) {
    const now = performance.now()
    const identity = await identityOf(lock)
    if (identity === undefined) continue
    if (now > deadline) {
      throw new TransientError('store-busy', `cannot replace ${path}: ${lock} stayed locked; try again`)
    }
    if (seen?.identity !== identity) seen = { identity, since: now }
    if (now - seen.since > staleLockMs) await removeStaleLock(lock, identity)
    else await delay(2 + Math.random() * 8)
  }
  try {
    return await action()
  } finally {
    await unlinkIfThere(lock)
  }
}

async function createExclusively(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close()
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Renames the lock before removing it, so that of two who found it stale only one takes it away, and looks again at
 * what it got: somebody's new lock is put back.
 */
async function removeStaleLock(lock: string, staleIdentity: string): Promise<void> {
  const aside = join(dirname(lock), temporaryName())
  try {
    await rename(lock, aside)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  if ((await identityOf(aside)) !== staleIdentity) await link(aside, lock).catch(() => undefined)
  await unlinkIfThere(aside)
}

async function identityOf(path: string): Promise<string | undefined> {
  const stats = await statOrUndefined(path)
  return stats && `${stats.ino}-${stats.mtimeNs}`
}

async function statOrUndefined(path: string) {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
