import { HeadlightError, InputError, PlaceError, SampleError, TransientError } from '../base/errors.ts'

/** The `code` of a failed system call (`ENOENT`), `undefined` for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof HeadlightError) return undefined
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** There is no such file; `ENAMETOOLONG` and `ELOOP` say that there cannot be one. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(errnoOf(error) ?? '')
}

/**
 * The class of `errors.ts` that a failed system call belongs to. What is no failed system call (our
 * own errors among them) comes back as it is.
 *
 * @param doing what was tried, to go after "cannot": `write /data/out/a.png`
 */
export function filesystemError(error: unknown, doing: string): HeadlightError | Error {
  const errno = errnoOf(error)
  const cause = { cause: error }
  switch (errno) {
    case undefined:
      return error instanceof Error ? error : new Error(String(error))
    case 'ENOSPC':
    case 'EDQUOT':
      return new PlaceError('disk-full', `cannot ${doing}: the disk or quota is full; make room there`, cause)
    case 'EACCES':
    case 'EPERM':
      return new InputError('access-denied', `cannot ${doing}: permission denied; grant this user access`, cause)
    case 'EROFS':
      return new InputError('access-denied', `cannot ${doing}: the file system is mounted read-only`, cause)
    case 'EISDIR':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new SampleError(
        'bad-key',
        `cannot ${doing}: a file and a folder of the same name cannot stand side by side; rename one of the two`,
        cause,
      )
    case 'ENAMETOOLONG':
    case 'EILSEQ':
    case 'EINVAL':
      return new SampleError('bad-key', `cannot ${doing}: the file system takes no such name; rename it`, cause)
    case 'ENOTCONN':
    case 'ENODEV':
    case 'ENXIO':
      return new PlaceError('store-gone', `cannot ${doing}: the mount is gone (${errno}); mount it again`, cause)
    default:
      // EIO, EMFILE, ESTALE, EBUSY, ETIMEDOUT and whatever else a network file system thinks of.
      return new TransientError('store-busy', `cannot ${doing}: the file system answered ${errno}; try again`, cause)
  }
}
