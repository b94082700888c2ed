import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

interface RunOptions {
  readonly cwd?: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Runs a program to its end and gives what it wrote; raises an Error with what it said of errors, else its last lines. */
export async function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  try {
    const { stdout } = await run(program, [...args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      timeout: options.timeoutMs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      maxBuffer: 64 * 2 ** 20,
    })
    return stdout.trim()
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : ''
    const lines = said.trim().split('\n')
    // npm ends with advice and g++ with what follows from the first error.
    const errors = lines.filter((line) => /error/i.test(line)).slice(0, 3)
    const reason =
      (errors.length > 0 ? errors : lines.slice(-3)).join(' / ') ||
      (error instanceof Error ? error.message : String(error))
    throw new Error(`${program} ${args[0] ?? ''} failed: ${reason}`, { cause: error })
  }
}
