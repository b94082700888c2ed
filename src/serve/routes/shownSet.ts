import { InputError } from '../../base/errors.ts'
import type { Served } from './route.ts'

/** Whether an address may name this result set. InputError `no-such-run` when not, or when there is none. */
export async function requireShown(
  { output, onlySet }: Pick<Served, 'output' | 'onlySet'>,
  set: string,
): Promise<void> {
  if (onlySet === null ? isFolderName(set) && (await output.head(`${set}/set.json`)) !== undefined : set === onlySet)
    return
  throw new InputError('no-such-run', `${output.uri} shows no result set ${set}; the front page lists them`)
}

/** Of one folder in the output, whatever it looks like: a name with a slash or of dots could lead elsewhere. */
function isFolderName(set: string): boolean {
  return set !== '' && !/^\.+$|[/\\\u0000-\u001f]/.test(set)
}
