import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from './filesystemErrors.ts'

/**
 * Makes a folder and those above it that are missing. Node's own `recursive` is the tempting choice: on file systems that
 * answer "no such folder" for a name that they will not make (such as /proc) it tries for ever.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await mkdir(path).catch((again: unknown) => {
      if (errnoOf(again) !== 'EEXIST') throw again
    })
  }
}
