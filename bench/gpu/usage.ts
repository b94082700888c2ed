import { parseArgs, type ParseArgsConfig } from 'node:util'

/** Said in its one sentence, without a stack; the exit code is 2. */
export class UsageError extends Error {}

/** Raises UsageError for options that there are not, or that lack their value. */
export function parsed<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** The exit code of a command, which is 2 where its options are wrong. */
export async function withUsage(command: () => Promise<number>): Promise<number> {
  try {
    return await command()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message} (--help tells the options)`)
    return 2
  }
}
