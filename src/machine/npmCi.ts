import { InputError } from '../base/errors.ts'
import { runProgram } from './runProgram.ts'

/** Installs exactly what the lockfile in `folder` names, running none of its scripts. Raises InputError `bad-engine`. */
export async function npmCi(folder: string, signal?: AbortSignal): Promise<void> {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  try {
    await runProgram('npm', args, { cwd: folder, timeoutMs: 30 * 60_000, signal })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InputError(
      'bad-engine',
      `npm could not install the packages of the engine (${reason}): npm must be on the PATH and reach its registry; then install again`,
      { cause: error },
    )
  }
}
