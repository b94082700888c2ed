/** Where a command writes: results to standard output, everything else to standard error. */
export interface Output {
  /** Never fails: what cannot be written is dropped. */
  write(text: string): void
  /** Aborted when nobody reads any more. Work goes on all the same; it is for what does nothing but show. */
  readonly unread: AbortSignal
  readonly isTerminal: boolean
  /** Width in characters now; a terminal may be resized while a command runs. */
  readonly columns: () => number
}

/** What a command may know of the process it runs in. Made by main.ts, the only reader of argv and env. */
export interface Surroundings {
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly homeFolder: string
  readonly results: Output
  readonly messages: Output
  /** Calls back for SIGINT, SIGTERM and, where there is a terminal, SIGHUP, until the returned function is called. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void
  /** The same command in another process with this environment; gives its exit code. */
  runAgain(environment: Surroundings['environment']): Promise<number>
  /** Ends the process at once, whatever is still going on. */
  exit(code: number): never
}

/** SIGHUP: the terminal was closed. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'
