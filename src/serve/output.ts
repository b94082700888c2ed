import { InputError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { currentRun } from '../output/current.ts'
import { readResultSet, type ResultSet } from '../output/resultSet.ts'
import { openStore } from '../storage/open.ts'
import type { Store } from '../storage/store.ts'
import { AtlasShelf } from './atlasShelf.ts'
import { ComparisonShelf } from './comparisons/comparisonShelf.ts'
import { startComparison } from './comparisons/startComparison.ts'
import { LiveDesk, type LiveOptions } from './live/liveDesk.ts'
import { PictureDesk } from './pictures/pictureDesk.ts'
import { StoredRows } from './pictures/storedRows.ts'
import type { Served } from './routes/route.ts'
import { TableShelf } from './table/tableShelf.ts'

export interface OutputOptions extends LiveOptions {
  readonly cacheFolder: string
  /** Of S3, in place of the one that stands in the result sets: the service may have another address from here. */
  readonly datasetEndpoint?: string | undefined
  readonly headlightVersion: string
}

/** An output that is looked at, with what is kept of it between requests. */
export class ServedOutput implements Served {
  readonly output: Store
  readonly onlySet: string | null
  readonly headlightVersion: string
  readonly tables: TableShelf
  readonly live: LiveDesk
  readonly comparisons = new ComparisonShelf(startComparison)
  readonly storedRows: StoredRows
  readonly pictures = new PictureDesk()
  readonly atlases: AtlasShelf
  readonly log: Logger
  readonly #datasetEndpoint: string | undefined
  readonly #datasets = new Map<string, Store>()
  /** What a result set is never changes: its id is a digest of it. */
  readonly #sets = new Map<string, ResultSet>()

  constructor(options: OutputOptions) {
    const { output, onlySet, findRedis, cacheFolder, datasetEndpoint, headlightVersion, log } = options
    this.#datasetEndpoint = datasetEndpoint
    this.output = output
    this.onlySet = onlySet
    this.headlightVersion = headlightVersion
    this.log = log
    this.atlases = new AtlasShelf(output)
    this.live = new LiveDesk({ output, onlySet, findRedis, log })
    this.storedRows = new StoredRows(output)
    this.tables = new TableShelf({ output, cacheFolder, log })
  }

  datasetOf({ dataset }: ResultSet): Store {
    const endpoint = this.#datasetEndpoint ?? dataset.endpoint ?? undefined
    const name = `${endpoint ?? ''} ${dataset.uri}`
    const store = this.#datasets.get(name) ?? openStore(dataset.uri, { endpoint, logger: this.log })
    this.#datasets.set(name, store)
    return store
  }

  async setOf(id: string): Promise<ResultSet> {
    const set = this.#sets.get(id) ?? (await readResultSet(this.output, id))
    if (set === undefined)
      throw new InputError(
        'no-such-run',
        `${this.output.uri} holds no result set ${id}; the front page lists those that it holds`,
      )
    this.#sets.set(id, set)
    return set
  }

  async runOf(set: string, asked: string | undefined): Promise<{ run: string; stateRun: string }> {
    const stateRun = await currentRun(this.output, set)
    if (stateRun === null) {
      throw new InputError('no-such-run', `${this.output.uri}${set}/ has no finished run yet; wait for its first one`)
    }
    return { run: asked ?? stateRun, stateRun }
  }

  async close(): Promise<void> {
    await Promise.all([this.tables.close(), this.comparisons.close()])
    for (const store of this.#datasets.values()) store.close()
  }
}
