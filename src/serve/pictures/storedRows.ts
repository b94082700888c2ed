import { InputError } from '../../base/errors.ts'
import { layout } from '../../output/layout.ts'
import { openMapPlaces, type MapPlaces } from '../../output/mapPlaces.ts'
import { whereRunRemoved } from '../../output/runs.ts'
import { openTableRows, type Cell, type TableRows } from '../../output/tableColumns.ts'
import { fateOf, type MapFate, type StandingRow } from '../../report/compare/standingMaps.ts'
import { slicedObject } from '../../storage/slicedObject.ts'
import type { Store } from '../../storage/store.ts'
import { Kept, keptPromise } from '../kept.ts'

interface StoredTable {
  readonly rows: TableRows
  readonly places: MapPlaces | undefined
}

/** Tables whose footers are kept. */
const keptTables = 4
/** Fates that are kept: they cost four reads each. */
const keptFates = 10_000

/** Single rows out of the stored tables, for what is not kept in memory of each. */
export class StoredRows {
  readonly #output: Store
  readonly #tables = new Kept<Promise<StoredTable>>(keptTables)
  readonly #fates = new Kept<Promise<MapFate>>(keptFates)

  constructor(output: Store) {
    this.#output = output
  }

  /** Cells of a row; null where the table lacks the column. Empty when it has no such row. */
  async row(set: string, run: string, at: number, columns: readonly string[]): Promise<ReadonlyMap<string, Cell>> {
    const { rows } = await this.#table(set, run)
    return (await rows.row(at, columns)) ?? new Map()
  }

  /**
   * Whether the maps under a row's key are still its own, by its place in the table of its run and in that of the state
   * (null: the state has no such key).
   */
  async fate(
    set: string,
    { run, row }: { readonly run: string; readonly row: number },
    state: { readonly run: string; readonly row: number | null },
  ): Promise<MapFate> {
    if (run === state.run) return 'stands'
    if (state.row === null) return 'gone'
    const at = state.row
    return keptPromise(this.#fates, `${set}/${run}/${row}/${state.run}`, async () => {
      const [own, now] = await Promise.all([this.#standing(set, run, row), this.#standing(set, state.run, at)])
      return fateOf(own, now)
    })
  }

  async #standing(set: string, run: string, at: number): Promise<StandingRow> {
    const { rows, places } = await this.#table(set, run)
    const [cells, place] = await Promise.all([rows.row(at, ['fingerprint', 'status']), places?.placeAt(at)])
    return { fingerprint: String(cells?.get('fingerprint')), status: String(cells?.get('status')), place }
  }

  #table(set: string, run: string): Promise<StoredTable> {
    return keptPromise(this.#tables, `${set}/${run}`, () => this.#open(set, run))
  }

  async #open(set: string, run: string): Promise<StoredTable> {
    const key = layout.runTable(set, run)
    const [table, places] = await Promise.all([
      slicedObject(this.#output, key, whereRunRemoved),
      openMapPlaces(this.#output, set, run),
    ])
    if (table === undefined) {
      throw new InputError('no-such-run', `${this.#output.uri}${key} is not there; ${whereRunRemoved}`)
    }
    return { rows: await openTableRows(table), places }
  }
}
