import { randomBytes } from 'node:crypto'

const prefix = '.headlight-tmp-'

/** A name that no sample has and no listing shows: half-written files, locks and probes. */
export function temporaryName(purpose: string = randomBytes(12).toString('hex')): string {
  return prefix + purpose
}

/** Whether the last part of a key or path is such a name. */
export function isTemporary(key: string): boolean {
  return key.startsWith(prefix, key.lastIndexOf('/') + 1)
}
