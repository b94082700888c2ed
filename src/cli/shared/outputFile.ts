import { writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { InputError } from '../../base/errors.ts'

/** Writes a file that the user named with `flag`. Raises InputError `bad-option` when it cannot be written. */
export async function writeOutputFile(path: string, bytes: Uint8Array | string, flag: string): Promise<void> {
  try {
    await writeFile(path, bytes)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const advice = reason === 'ENOENT' ? 'its folder does not exist' : reason
    throw new InputError('bad-option', `${flag} ${path} cannot be written: ${advice}`, { cause: error })
  }
}

/**
 * Raises InputError `bad-option` for a file that is named like another kind than what is written: a program that goes by
 * the name would fail, and a JPEG of a map would not hold its values. A name without a suffix says nothing.
 */
export function requireSuffix(path: string, suffix: keyof typeof kinds, flag: string): void {
  const given = extname(path)
  if (given === '' || given.toLowerCase() === suffix) return
  const kind = kinds[suffix]
  throw new InputError('bad-option', `${flag} writes ${kind}, but ${path} ends in ${given}; name it ${suffix}`)
}

const kinds = { '.png': 'a PNG image', '.npy': 'a NumPy array', '.html': 'an HTML page' } as const
