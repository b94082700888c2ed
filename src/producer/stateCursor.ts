import { InputError } from '../base/errors.ts'
import type { MapPlace } from '../output/mapPlaces.ts'
import type { TableRow } from '../output/table.ts'

/** Goes through the rows of a state and where their maps lie, side by side. */
export class StateCursor {
  /** The row at hand; undefined before the first and after the last. */
  row: TableRow | undefined
  /** Of the row at hand. */
  place: MapPlace | null = null
  readonly #rows: AsyncIterator<TableRow>
  readonly #places: AsyncIterator<MapPlace | null> | undefined

  readonly #placesFile: string

  /**
   * @param places one for each row; absent: no row has one
   * @param placesFile where they lie, for whoever has to remove it
   */
  constructor(rows: AsyncIterable<TableRow>, places?: AsyncIterable<MapPlace | null>, placesFile = 'map-places.bin') {
    this.#placesFile = placesFile
    this.#rows = rows[Symbol.asyncIterator]()
    this.#places = places?.[Symbol.asyncIterator]()
  }

  /** InputError `bad-layout` when there are not as many places as rows. */
  async advance(): Promise<void> {
    const row = await this.#rows.next()
    this.row = row.done === true ? undefined : row.value
    if (this.#places === undefined) return
    const place = await this.#places.next()
    if ((place.done === true) !== (row.done === true)) {
      const message = `${this.#placesFile} does not have as many rows as the table beside it; remove it, then start again`
      throw new InputError('bad-layout', message)
    }
    this.place = place.done === true ? null : place.value
  }

  async close(): Promise<void> {
    await this.#rows.return?.(undefined)
    await this.#places?.return?.(undefined)
  }
}
