import type { Logger } from '../base/telemetry.ts'
import { together } from '../base/together.ts'
import { gatheredMaps } from '../output/gatheredMaps.ts'
import { layout } from '../output/layout.ts'
import { areAsMerged } from '../output/mapChecksums.ts'
import type { MapPlace } from '../output/mapPlaces.ts'
import { encodePoseMaps, unplaced, type PoseMaps } from '../output/poseMaps.ts'
import { rowPose } from '../output/rowPose.ts'
import type { RowMaps } from '../output/smallMaps.ts'
import type { TableRow } from '../output/table.ts'
import { InputSums, MagnitudeSums } from '../report/aggregates/poseSums.ts'
import type { Store } from '../storage/store.ts'

/** Small maps of a state, by pose. */
export interface Atlas {
  readonly magnitudes: PoseMaps
  readonly inputs: PoseMaps
}

/** The atlas of a state in the making. */
export class AtlasSums {
  readonly magnitudes: MagnitudeSums
  readonly inputs: InputSums

  /** @param from what to go on from; nothing without it */
  constructor(objectives: readonly string[], from?: Atlas) {
    this.magnitudes = new MagnitudeSums(objectives, from?.magnitudes)
    this.inputs = new InputSums(from?.inputs)
  }

  add(cell: number, { magnitudes, input }: RowMaps): void {
    this.magnitudes.add(cell, magnitudes)
    if (input !== undefined) this.inputs.add(cell, input)
  }

  subtract(cell: number, { magnitudes, input }: RowMaps): void {
    this.magnitudes.subtract(cell, magnitudes)
    if (input !== undefined) this.inputs.subtract(cell, input)
  }

  finish(): Atlas {
    return { magnitudes: this.magnitudes.finish(), inputs: this.inputs.finish() }
  }
}

/** The cell that a row's maps are summed in. */
export function cellOf(row: TableRow): number {
  return rowPose(row)?.cell ?? unplaced
}

export interface AtlasUpdateOptions {
  readonly output: Store
  readonly set: string
  readonly objectives: readonly string[]
  /** The atlas of the state before; null: the new state has no row of it. */
  readonly before: Atlas | null
  readonly log: Logger
}

/** Rows that are taken back together. */
const batchRows = 16_384

/** Turns the atlas of the state before into that of the new one. Feed every row that the merge meets. */
export class AtlasUpdate {
  readonly #options: AtlasUpdateOptions
  readonly #sums: AtlasSums
  /** To be taken back; in any order, since sums are whole numbers. */
  #dropped: { readonly cell: number; readonly place: MapPlace }[] = []
  /** Rows of the new state that have maps, and an input. */
  #withMaps = 0
  #withInput = 0
  #isExact = true

  constructor(options: AtlasUpdateOptions) {
    this.#options = options
    this.#sums = new AtlasSums(options.objectives, options.before ?? undefined)
  }

  /** A row of the state before that stays. */
  keep(place: MapPlace | null): void {
    if (place === null) return
    this.#withMaps++
    if (place.file.hasInputs) this.#withInput++
  }

  /** A row that the run has computed. */
  add(row: TableRow, place: MapPlace | null, maps: RowMaps | null): void {
    this.keep(place)
    if (maps !== null) this.#sums.add(cellOf(row), maps)
  }

  /** A row of the state before that is in the new one no more. */
  async drop(row: TableRow, place: MapPlace | null): Promise<void> {
    if (place === null || this.#options.before === null) return
    this.#dropped.push({ cell: cellOf(row), place })
    if (this.#dropped.length >= batchRows) await this.#takeBack()
  }

  /** Undefined when what is to be taken back is gone, or another by now, so that the atlas has to be summed anew. */
  async finish(): Promise<Atlas | undefined> {
    await this.#takeBack()
    const { magnitudes, inputs } = this.#sums
    if (this.#isExact && magnitudes.n === this.#withMaps && inputs.n === this.#withInput) return this.#sums.finish()
    this.#options.log.warn(
      'small maps of the state before are gone, or have been written over since, so the atlas is summed anew from those ' +
        'that are there',
    )
    return undefined
  }

  async #takeBack(): Promise<void> {
    const { output, set, objectives } = this.#options
    const dropped = this.#dropped
    this.#dropped = []
    if (!this.#isExact) return
    for await (const { wanted, found } of gatheredMaps(output, set, objectives.length, dropped)) {
      if (found === undefined || !areAsMerged(wanted.place.file, found.file)) this.#isExact = false
      else this.#sums.subtract(wanted.cell, found.maps)
    }
  }
}

/**
 * Puts `atlas.bin`, and `atlas-inputs.bin` where a row has an input. Over one that is there in any case: it may be damaged,
 * or of rows whose inputs are gone.
 */
export async function putAtlas(output: Store, set: string, run: string, { magnitudes, inputs }: Atlas): Promise<void> {
  const key = layout.inputAtlas(set, run)
  const putInputs = async () => {
    if (inputs.cells.size > 0 || (await output.head(key)) !== undefined) await output.put(key, encodePoseMaps(inputs))
  }
  await together([output.put(layout.atlas(set, run), encodePoseMaps(magnitudes)), putInputs()])
}
