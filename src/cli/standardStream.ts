import type { Output } from './surroundings.ts'

/**
 * The reader has gone: a pipe (ECONNRESET where it is a socket) or a terminal that was closed. On any other fault, of a
 * full disk say, there may be room again in a moment.
 */
const goneCodes = ['EPIPE', 'ECONNRESET', 'EIO', 'EBADF']

/**
 * Standard output or error. What cannot be written is dropped, and nobody ever fails by it: a run is not there to be
 * watched. Ending here, as `yes | head -1` does, would leave it half done with an exit code of 0.
 */
export class StandardStream implements Output {
  readonly isTerminal: boolean
  readonly #stream: NodeJS.WriteStream
  readonly #gone = new AbortController()
  #hasFailed = false

  /** `onFault` hears once of a fault that is none of the reader's. */
  constructor(stream: NodeJS.WriteStream, onFault: (reason: string) => void = () => undefined) {
    this.#stream = stream
    this.isTerminal = stream.isTTY === true
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (goneCodes.includes(error.code ?? '')) return this.#gone.abort()
      if (!this.#hasFailed) onFault(error.message)
      this.#hasFailed = true
    })
  }

  /** Aborted when the reader is found to have gone, which is when something is written. */
  get unread(): AbortSignal {
    return this.#gone.signal
  }

  /** Whether nothing waits for a slow reader any more. */
  get isWritten(): boolean {
    return this.#gone.signal.aborted || this.#stream.writableLength === 0
  }

  write(text: string): void {
    if (!this.#gone.signal.aborted) this.#stream.write(text)
  }

  columns(): number {
    // A terminal that nobody gave a size says 0.
    return this.#stream.columns > 0 ? this.#stream.columns : 80
  }
}
