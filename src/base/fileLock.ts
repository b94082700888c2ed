import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { InputError } from './errors.ts'
import { findExecutable } from './executable.ts'

export interface FileLock {
  /** The descriptor that carries the lock. A child that inherits it keeps the lock for as long as it lives. */
  readonly fd: number
  release(): void
}

export interface FileLockOptions {
  readonly kind: 'exclusive' | 'shared'
  /** How long to wait for others; 0 only tries. */
  readonly waitMs: number
  /** PATH to look for `flock` in. */
  readonly searchPath: string
}

/**
 * A lock on a file that the kernel drops when its holder dies, however it dies; null when others held it for all of
 * `waitMs`. A file with a pid in it would have to guess whether that pid is still the same process, and guesses wrong
 * in another container.
 *
 * Node has no flock(2). But the lock belongs to the open file, which a child shares: so `flock`(1) locks the descriptor
 * that it inherits from here and ends, and the lock stays with this process until the descriptor is closed.
 */
export async function lockFile(path: string, options: FileLockOptions): Promise<FileLock | null> {
  const flock = findExecutable('flock', options.searchPath)
  if (flock === null) {
    throw new InputError(
      'no-redis',
      'a private Redis needs the program flock, which is not on the PATH; install util-linux or give --redis URL',
    )
  }
  let fd: number | undefined
  let locked = false
  try {
    fd = openSync(path, 'a+', 0o600)
    locked = await lockDescriptor(flock, fd, options)
  } catch (error) {
    throw new InputError('no-redis', `the file ${path} cannot be locked (${String(error)}); give --redis URL`, {
      cause: error,
    })
  } finally {
    if (fd !== undefined && !locked) closeSync(fd)
  }
  return locked ? { fd, release: once(() => closeSync(fd)) } : null
}

const conflict = 1

function lockDescriptor(flock: string, fd: number, options: FileLockOptions): Promise<boolean> {
  const kind = options.kind === 'exclusive' ? '-x' : '-s'
  // No `-w`: BusyBox's flock does not know it.
  const args = options.waitMs === 0 ? [kind, '-n', '3'] : [kind, '3']
  return new Promise((resolve, reject) => {
    // Detached: a Ctrl-C would end a waiting flock, and that would look like a lock that could not be had.
    const child = spawn(flock, args, { stdio: ['ignore', 'ignore', 'ignore', fd], detached: true })
    let late = false
    const giveUp = () => {
      late = true
      child.kill('SIGKILL')
    }
    const timer = options.waitMs === 0 ? undefined : setTimeout(giveUp, options.waitMs)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve(true)
      else if (late || code === conflict) resolve(false)
      else reject(new Error(`flock ended with ${signal ?? `code ${code}`}`))
    })
  })
}

/** A second close would close whatever file has been given the same number meanwhile. */
function once(action: () => void): () => void {
  let done = false
  return () => {
    if (!done) action()
    done = true
  }
}
