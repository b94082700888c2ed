import { readFile } from 'node:fs/promises'
import { InputError } from './errors.ts'

/** Reads a file that the user named. Raises InputError `bad-option` when it cannot be read. */
export async function readLocalFile(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const reason =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${String(code)})`
    throw new InputError('bad-option', `the ${what} ${path} ${reason}`, { cause: error })
  }
}
