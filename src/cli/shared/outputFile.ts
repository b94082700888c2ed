import { writeFile } from 'node:fs/promises'
import { InputError } from '../../base/errors.ts'

/** Writes a file that the user named with `flag`. Raises InputError `bad-option` when it cannot be written. */
export async function writeOutputFile(path: string, bytes: Uint8Array, flag: string): Promise<void> {
  try {
    await writeFile(path, bytes)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const advice = reason === 'ENOENT' ? 'its folder does not exist' : reason
    throw new InputError('bad-option', `${flag} ${path} cannot be written: ${advice}`, { cause: error })
  }
}
