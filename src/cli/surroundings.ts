/** Where a command writes: results to standard output, everything else to standard error. */
export interface Output {
  write(text: string): void
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
  /** Calls back for SIGINT and SIGTERM until the returned function is called. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void
  /** The same command in another process with this environment; gives its exit code. */
  runAgain(environment: Surroundings['environment']): Promise<number>
  /** Ends the process at once, whatever is still going on. */
  exit(code: number): never
}

export type StopSignal = 'SIGINT' | 'SIGTERM'
