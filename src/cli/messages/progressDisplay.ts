import type { RunProgress } from '../../producer/progress.ts'
import type { Output } from '../surroundings.ts'
import { finalizingText, progressLine, RateMeter } from './progressLine.ts'

const redrawMs = 200
const quietLineMs = 30_000

const beginnings: Readonly<Record<RunProgress['phase'], (progress: RunProgress) => string>> = {
  waiting: () => 'waiting',
  listing: () => 'listing the dataset',
  computing: () => 'computing',
  finalizing: finalizingText,
}

/**
 * Shows progress on standard error. On a terminal one line is rewritten, at most five times a second; elsewhere a line
 * is written when a phase begins, when there is something out of the ordinary to say, and at most every 30 s after that.
 * `silent` shows messages only, `mute` not even those; `write` always writes.
 */
export class ProgressDisplay {
  readonly #output: Output
  readonly #silent: boolean
  readonly #mute: boolean
  readonly #now: () => number
  readonly #meter = new RateMeter()
  #latest: RunProgress | null = null
  #writeLine = (line: string): void => this.#output.write(`${line}\n`)
  /** The message told last. */
  #said: string | undefined
  /** On the terminal now. */
  #shown = ''
  /** Written last, where there is no terminal. */
  #lastLine = ''
  #lastMs = -Infinity
  #lastPhase: RunProgress['phase'] | null = null

  constructor(output: Output, options: { silent: boolean; mute?: boolean; now?: () => number }) {
    this.#output = output
    this.#silent = options.silent
    this.#mute = options.mute ?? false
    this.#now = options.now ?? (() => performance.now())
  }

  update(progress: RunProgress): void {
    const said = progress.message === this.#said ? undefined : progress.message
    this.#said = progress.message
    if (this.#silent) {
      // Quiet is about progress: what is out of the ordinary is no progress.
      if (said !== undefined && !this.#mute && progress.isLogged !== true) this.#output.write(`${said}\n`)
      return
    }
    const now = this.#now()
    if (progress.phase === 'listing' || progress.phase === 'computing') this.#meter.add(now, progress.computed)
    const begins = progress.phase !== this.#lastPhase
    this.#latest = progress
    this.#lastPhase = progress.phase
    if (this.#output.isTerminal) {
      // Above the line, where it stays, and in the line as long as it lasts.
      if (said !== undefined && progress.isLogged !== true) this.#writeAbove(said)
      else if (!begins && now - this.#lastMs < redrawMs) return
      this.#lastMs = now
      this.#draw()
      return
    }
    const news = progress.isLogged === true ? undefined : said
    if (!begins && news === undefined && now - this.#lastMs < quietLineMs) return
    this.#lastMs = now
    const line = news ?? (begins ? beginnings[progress.phase](progress) : this.#line(Infinity))
    // A run that stands still is no news.
    if (line === this.#lastLine) return
    this.#lastLine = line
    this.#output.write(`${line}\n`)
  }

  /** Writes a line of text above the progress line; also when silent. */
  write(line: string): void {
    this.#writeAbove(line)
    if (this.#latest) this.#draw()
  }

  /** From now on lines go there, for whoever writes everything in another form. */
  writeWith(write: (line: string) => void): void {
    this.#writeLine = write
  }

  #writeAbove(line: string): void {
    this.#erase()
    this.#writeLine(line)
  }

  /** Takes the progress line away; nothing is drawn any more. */
  end(): void {
    this.#erase()
    this.#latest = null
  }

  #line(columns: number): string {
    return this.#latest ? progressLine(this.#latest, this.#meter.perSecond(), columns) : ''
  }

  #draw(): void {
    if (this.#silent || !this.#output.isTerminal) return
    // The last column stays free: some terminals wrap as soon as it is written.
    const line = this.#line(this.#output.columns() - 1)
    if (line === this.#shown) return
    // Return, erase to the end of the line, write: one write, so that nothing flickers.
    this.#output.write(`\r\u001b[K${line}`)
    this.#shown = line
  }

  #erase(): void {
    if (this.#shown === '') return
    this.#output.write('\r\u001b[K')
    this.#shown = ''
  }
}
