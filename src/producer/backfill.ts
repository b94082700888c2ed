import { InputError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { together } from '../base/together.ts'
import { putAggregates, readAggregates } from '../output/aggregates.ts'
import { gatheredMaps } from '../output/gatheredMaps.ts'
import { layout } from '../output/layout.ts'
import { magnitudeBytes } from '../output/magnitudeFile.ts'
import { MapPlacesWriter, openMapPlaces, type MapPlace, type MapPlaces } from '../output/mapPlaces.ts'
import { readAtlas, readInputAtlas } from '../output/poseMaps.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { stateRows } from '../output/stateRows.ts'
import { Aggregator } from '../report/aggregates/aggregator.ts'
import { InputSums } from '../report/aggregates/poseSums.ts'
import type { Store } from '../storage/store.ts'
import { AtlasSums, cellOf, putAtlas, type Atlas } from './atlas.ts'
import { recordedPlaces } from './recordedPlaces.ts'
import { StateCursor } from './stateCursor.ts'

export interface BackfillOptions {
  readonly output: Store
  readonly set: ResultSet
  /** The run whose table is the state. */
  readonly run: string
  /** Told what it costs before it starts, and `undefined` when it is done. The log is told as well. */
  readonly say: (message: string | undefined) => void
  /** Ends it with its reason; nothing has been written then. */
  readonly signal: AbortSignal
  /** Called before something is written: raises when the hold is lost. */
  readonly confirmHold: () => Promise<void>
  readonly log: Logger
}

/**
 * The atlas of a state, which with places and aggregates lies beside its table. Where one of them is missing, as beside
 * tables of earlier versions, or damaged, all are made once.
 */
export async function completedAtlas(
  options: BackfillOptions,
): Promise<{ readonly atlas: Atlas; readonly isNew: boolean }> {
  const present = await atlasBeside(options)
  if (present !== undefined) return { atlas: present, isNew: false }
  return { atlas: await rewrittenAtlas(options, 'missing'), isNew: true }
}

/**
 * Adds up the small maps of a state, and writes atlas, places and aggregates beside its table. Where its rows have places
 * these are followed, else they are found in the records. Rows whose maps are gone lose their place.
 */
export async function rewrittenAtlas(options: BackfillOptions, why: keyof typeof announcements): Promise<Atlas> {
  const { output, set, run } = options
  const known = await readable(options, () => openMapPlaces(output, set.id, run))
  const objectives = set.options.objectives.length
  return sumAtlas(options, why, known?.places() ?? recordedPlaces({ output, set: set.id, run, objectives }))
}

/** Undefined where something that belongs beside a state's table is missing or damaged. */
export function atlasBeside(
  options: Pick<BackfillOptions, 'output' | 'set' | 'run' | 'log'>,
): Promise<Atlas | undefined> {
  // All of it at once: also inputs that no row has any more are made again where they are damaged.
  return readable(options, () => readBeside(options))
}

async function readBeside({
  output,
  set,
  run,
}: Pick<BackfillOptions, 'output' | 'set' | 'run'>): Promise<Atlas | undefined> {
  const [places, aggregates, magnitudes, inputs] = await together([
    openMapPlaces(output, set.id, run),
    readAggregates(output, set.id, run),
    readAtlas(output, set.id, run),
    readInputAtlas(output, set.id, run),
  ])
  if (places === undefined || aggregates === undefined) return undefined
  if (magnitudes === undefined || (inputs === undefined && needsInputs(places))) return undefined
  return { magnitudes, inputs: inputs ?? new InputSums().finish() }
}

function needsInputs({ files }: MapPlaces): boolean {
  return files.some(({ hasInputs }) => hasInputs)
}

/** What is damaged is made again, like what is missing. */
async function readable<T>(
  { log }: Pick<BackfillOptions, 'log'>,
  read: () => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== 'bad-layout') throw error
    log.warn({ err: error }, 'a file beside the table of the state is damaged and is made again')
    return undefined
  }
}

interface PlacedRow {
  readonly cell: number
  readonly isOk: boolean
  place: MapPlace | null
}

/** Rows of which the maps are read together. */
const batchRows = 65_536

async function sumAtlas(
  options: BackfillOptions,
  why: keyof typeof announcements,
  places: AsyncIterable<MapPlace | null>,
): Promise<Atlas> {
  const { output, set, run, signal, say, log } = options
  await announce(options, why)
  const aggregator = new Aggregator()
  const object = output.write(layout.mapPlaces(set.id, run))
  const sums = new PlacedSums(options, new MapPlacesWriter(object))
  const state = new StateCursor(stateRows(output, set.id, run), places, `${output.uri}${layout.mapPlaces(set.id, run)}`)
  try {
    for (await state.advance(); state.row !== undefined; await state.advance()) {
      signal.throwIfAborted()
      aggregator.addRow(state.row)
      await sums.add({ cell: cellOf(state.row), isOk: state.row.status === 'ok', place: state.place })
    }
    const atlas = await sums.finish()
    if (sums.lacking > 0) {
      const images =
        sums.lacking === 1 ? 'The small maps of 1 image are' : `The small maps of ${sums.lacking} images are`
      log.warn(
        { images: sums.lacking },
        `${images} gone; the atlas and what is said of the likeness of maps leave them out`,
      )
    }
    await options.confirmHold()
    await object.commit()
    await putAtlas(output, set.id, run, atlas)
    await putAggregates(output, set.id, run, aggregator.finish())
    return atlas
  } finally {
    await state.close()
    await object.discard()
    say(undefined)
  }
}

/** By what it is for: a file beside the table was missing or damaged, or small maps of dropped rows were lost. */
const announcements = {
  missing: 'adding up, once for this result set, the small maps of',
  lost: 'adding up anew, since some that had been added up are gone or others by now, the small maps of',
} as const

/** Says what is to come, unless there is nothing to read. */
async function announce(
  { output, set, run, say, log }: BackfillOptions,
  why: keyof typeof announcements,
): Promise<void> {
  let images = 0
  for await (const { status } of stateRows(output, set.id, run, ['status'])) if (status === 'ok') images++
  if (images === 0) return
  const megabytes = Math.max(1, Math.round((images * set.options.objectives.length * magnitudeBytes) / 1e6))
  const message = `${announcements[why]} ${images === 1 ? '1 image' : `${images} images`} by pose: ${megabytes} MB are read`
  // A warning, like all that takes long and that nobody expects: of other lines a terminal shows none.
  log.warn({ images, megabytes }, message)
  say(message)
}

/** Sums maps batch by batch, and writes the places of those that are there, in the order of the rows. */
class PlacedSums {
  /** Rows that did not fail and have no maps. */
  lacking = 0
  readonly #options: BackfillOptions
  readonly #places: MapPlacesWriter
  readonly #sums: AtlasSums
  #batch: PlacedRow[] = []

  constructor(options: BackfillOptions, places: MapPlacesWriter) {
    this.#options = options
    this.#places = places
    this.#sums = new AtlasSums(options.set.options.objectives)
  }

  async add(row: PlacedRow): Promise<void> {
    this.#batch.push(row)
    if (this.#batch.length >= batchRows) await this.#flush()
  }

  async finish(): Promise<Atlas> {
    await this.#flush()
    await this.#places.finish()
    return this.#sums.finish()
  }

  async #flush(): Promise<void> {
    const { output, set, signal } = this.#options
    const placed = this.#batch.flatMap((row) => (row.place === null ? [] : [{ row, place: row.place }]))
    for await (const { wanted, found } of gatheredMaps(output, set.id, set.options.objectives.length, placed)) {
      signal.throwIfAborted()
      const { row, place } = wanted
      if (found !== undefined) this.#sums.add(row.cell, found.maps)
      row.place = found === undefined ? null : { ...place, file: found.file }
    }
    for (const { place, isOk } of this.#batch) {
      if (isOk && place === null) this.lacking++
      await this.#places.add(place)
    }
    this.#batch = []
  }
}
