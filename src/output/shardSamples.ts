import { createHash } from 'node:crypto'

/**
 * Part of the name of a shard's `.mag` and `.input` file: which of its samples are in it. Empty where all are, so that
 * such files are called as ever. Two workers that met different faults in one shard then write two files, and the record
 * file, of which there is one, says which of the two is its own.
 *
 * @param isOk by sample, in the order of the manifest
 */
export function samplesMark(isOk: readonly boolean[]): string {
  if (isOk.every((ok) => ok)) return ''
  const bits = isOk.map((ok) => (ok ? '1' : '0')).join('')
  return createHash('sha256').update(bits).digest('hex').slice(0, 12)
}
