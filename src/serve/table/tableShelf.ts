import { join } from 'node:path'
import { pause } from '../../base/backoff.ts'
import { InputError, TransientError } from '../../base/errors.ts'
import { settles } from '../../base/settles.ts'
import type { Logger } from '../../base/telemetry.ts'
import { layout } from '../../output/layout.ts'
import { whereRunRemoved } from '../../output/runs.ts'
import { whole } from '../../report/numberText.ts'
import type { Store } from '../../storage/store.ts'
import type { Waiting } from '../wire.ts'
import { TableHost } from './tableHost.ts'
import type { TableQueries } from './tableQueries.ts'

/** A table of a million rows takes 130 MB: two are what is looked at, and what it is held against. */
const openTables = 2
/** What is read in less is waited for: most tables are small. */
const patienceMs = 200

/** A browser that waits for a table asks several times a second; whoever went away no longer does. */
const forgottenAfterMs = 5_000

interface Held {
  readonly host: TableHost
  askedMs: number
  /** Somebody has been given it. */
  isServed: boolean
}

/** Tables in memory: the last few that were asked for, each in its own thread. */
export class TableShelf {
  readonly #output: Store
  readonly #cacheFolder: string
  readonly #log: Logger
  /** The one that was asked for last is the last. */
  readonly #held = new Map<string, Held>()
  #isClosed = false

  constructor(options: { readonly output: Store; readonly cacheFolder: string; readonly log: Logger }) {
    this.#output = options.output
    this.#cacheFolder = join(options.cacheFolder, 'serve')
    this.#log = options.log
  }

  /**
   * The table of a run, or how far it has got while it is read. Rejects with the error for which it cannot be read, and
   * reads it again when it is asked for again.
   */
  async of(set: string, run: string): Promise<TableQueries | Waiting> {
    const name = `${set}/${run}`
    // Before another table is closed for it: a run with a typing error has none.
    if (this.#known(name) === undefined) await this.#requireTable(set, run)
    const held = this.#known(name) ?? this.#begin(name, set, run)
    if (held === undefined) {
      // Whoever asks again at once must not keep the threads from being heard.
      await pause(patienceMs)
      return { waiting: { text: 'waiting until there is room for another table', done: 0, total: 0 } }
    }
    held.askedMs = performance.now()
    this.#held.delete(name)
    this.#held.set(name, held)
    const { host } = held
    try {
      if (!(await settles(host.opened, patienceMs))) return { waiting: indexing(host) }
      const table = await host.opened
      held.isServed = true
      return table
    } catch (error) {
      if (this.#held.get(name) === held) this.#held.delete(name)
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const hosts = [...this.#held.values()].map(({ host }) => host)
    this.#held.clear()
    await Promise.all(hosts.map((host) => host.close()))
  }

  /** One whose thread has died since is read again. Why it could not be read at all is said first, to whoever waits. */
  #known(name: string): Held | undefined {
    const held = this.#held.get(name)
    if (held === undefined || !held.host.hasEnded || isWaitedFor(held)) return held
    this.#held.delete(name)
    return undefined
  }

  async #requireTable(set: string, run: string): Promise<void> {
    const { uri } = this.#output
    if ((await this.#output.head(layout.runTable(set, run))) !== undefined) return
    throw new InputError(
      'no-such-run',
      `${uri}${set}/ has no table of run ${run}: there is no such run, it changed nothing, or --keep-runs removed its table; the page of the result set lists the runs that can be shown`,
    )
  }

  /** Undefined while there is no room for one more. */
  #begin(name: string, set: string, run: string): Held | undefined {
    if (this.#isClosed) throw new TransientError('store-busy', 'headlight serve is ending; start it again')
    if (!this.#makeRoom()) return undefined
    const held = { host: this.#start(set, run), askedMs: 0, isServed: false }
    this.#held.set(name, held)
    return held
  }

  #start(set: string, run: string): TableHost {
    const { uri, endpoint } = this.#output
    const data = {
      output: uri,
      endpoint,
      key: layout.runTable(set, run),
      whereRemoved: whereRunRemoved,
      cacheFolder: this.#cacheFolder,
    }
    return new TableHost(data, (message) =>
      this.#log.warn(`the table of ${set} cannot be kept in ${this.#cacheFolder} for the next start: ${message}`),
    )
  }

  /**
   * Closes the table that was asked for least lately. One that somebody still waits for stays until he has his answer:
   * where more are waited for than there is room for, each would be closed for the next one before it is read, for ever.
   */
  #makeRoom(): boolean {
    if (this.#held.size < openTables) return true
    for (const [name, held] of this.#held) {
      if (isWaitedFor(held)) continue
      this.#held.delete(name)
      void held.host.close()
      return true
    }
    return false
  }
}

function isWaitedFor({ host, askedMs, isServed }: Held): boolean {
  return (!isServed || host.isAsked) && performance.now() - askedMs < forgottenAfterMs
}

function indexing({ read: { rows, total } }: TableHost): Waiting['waiting'] {
  const text = total === 0 ? 'opening the table' : `reading the table of ${whole(total)} images`
  return { text, done: rows, total }
}
