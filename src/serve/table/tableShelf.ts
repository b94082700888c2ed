import { join } from 'node:path'
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

/** Tables in memory: the last few that were asked for, each in its own thread. */
export class TableShelf {
  readonly #output: Store
  readonly #cacheFolder: string
  readonly #log: Logger
  /** The one that was asked for last is the last. */
  readonly #hosts = new Map<string, TableHost>()

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
    const host = this.#hosts.get(name) ?? this.#start(set, run)
    this.#hosts.delete(name)
    this.#hosts.set(name, host)
    this.#closeOldest()
    try {
      return (await settles(host.opened, patienceMs)) ? await host.opened : { waiting: indexing(host) }
    } catch (error) {
      if (this.#hosts.get(name) === host) this.#hosts.delete(name)
      throw error
    }
  }

  async close(): Promise<void> {
    const hosts = [...this.#hosts.values()]
    this.#hosts.clear()
    await Promise.all(hosts.map((host) => host.close()))
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

  #closeOldest(): void {
    for (const [name, host] of this.#hosts) {
      if (this.#hosts.size <= openTables) return
      this.#hosts.delete(name)
      void host.close()
    }
  }
}

function indexing({ read: { rows, total } }: TableHost): Waiting['waiting'] {
  const text = total === 0 ? 'opening the table' : `reading the table of ${whole(total)} images`
  return { text, done: rows, total }
}
