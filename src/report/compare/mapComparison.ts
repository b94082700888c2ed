import { gatheredMaps } from '../../output/gatheredMaps.ts'
import { isSamePlace, type MapPlace } from '../../output/mapPlaces.ts'
import { mapPixels } from '../../output/poseMaps.ts'
import { mapCorrelation, WholeMap } from '../aggregates/wholeMap.ts'
import { areOfOneSet, type ComparedTable } from './comparedTable.ts'
import type { MapLikeness } from './comparison.ts'
import type { ComparedPair } from './comparisonSums.ts'
import { LargestChanges, type ChangedImage } from './largestChanges.ts'
import { Likeness, type ObjectiveLikeness } from './mapLikeness.ts'

/** Maps that correlate higher are the same to two digits. */
const alike = 0.995

/** What the maps of A in one batch of pairs may take; those of B are read past them. */
const batchBytes = 32 * 2 ** 20

/** A pair of which both maps are to be read. */
interface PlacedPair {
  /** Its place in the batch. */
  readonly at: number
  readonly a: MapPlace
  readonly b: MapPlace
}

/**
 * Holds the small maps of compared images against each other, a batch of pairs at a time. Of a batch each file is read
 * once: rows of many nights alternate between files, and reading row by row would read a file for each of them.
 */
export class MapComparison {
  readonly #a: ComparedTable
  readonly #b: ComparedTable
  readonly #signal: AbortSignal
  readonly #isOneSet: boolean
  /** Of objectives that both have: where their maps begin in those of a row. */
  readonly #common: readonly { objective: string; startA: number; startB: number; likeness: Likeness }[]
  readonly #left = { same: 0, missing: 0 }
  readonly #leastAlike = new LargestChanges()
  readonly #batchPairs: number
  #batch: ComparedPair[] = []
  /** Maps of A of the pairs at hand, those of the common objectives alone. */
  readonly #mapsA: Uint16Array
  readonly #mapA = new WholeMap()
  readonly #mapB = new WholeMap()

  /**
   * @param batchPairs how many pairs are read together
   * @param signal rejects with its reason
   */
  constructor(a: ComparedTable, b: ComparedTable, signal: AbortSignal, batchPairs = pairsWithin(batchBytes, a, b)) {
    const [ofA, ofB] = [a.set.options.objectives, b.set.options.objectives]
    this.#a = a
    this.#b = b
    this.#signal = signal
    this.#isOneSet = areOfOneSet(a, b)
    this.#common = commonObjectives(a, b).map((objective) => ({
      objective,
      startA: ofA.indexOf(objective) * mapPixels,
      startB: ofB.indexOf(objective) * mapPixels,
      likeness: new Likeness(),
    }))
    this.#batchPairs = batchPairs
    this.#mapsA = new Uint16Array(batchPairs * this.#common.length * mapPixels)
  }

  /** Raises what the stores raise. */
  async add(pair: ComparedPair): Promise<void> {
    this.#batch.push(pair)
    if (this.#batch.length === this.#batchPairs) await this.#flush()
  }

  /** Call it once, after the last pair. */
  async finish(): Promise<{ readonly likeness: MapLikeness; readonly leastAlike: readonly ChangedImage[] }> {
    await this.#flush()
    const told = this.#common.flatMap(({ objective, likeness }): [string, ObjectiveLikeness][] => {
      const found = likeness.finish()
      return found === null ? [] : [[objective, found]]
    })
    return {
      likeness: { objectives: Object.fromEntries(told), ...this.#left },
      leastAlike: this.#leastAlike.finish(),
    }
  }

  /** The mean correlation of each pair's maps; null where there is none. For pairs that have been added. */
  async likenesses(pairs: readonly ComparedPair[]): Promise<(number | null)[]> {
    const likenesses: (number | null)[] = []
    for (let from = 0; from < pairs.length; from += this.#batchPairs) {
      for (const found of await this.#correlate(pairs.slice(from, from + this.#batchPairs))) {
        likenesses.push(typeof found === 'string' ? null : meanOf(found))
      }
    }
    return likenesses
  }

  async #flush(): Promise<void> {
    const pairs = this.#batch
    this.#batch = []
    // In the order of the rows again: sums, and which of equal ones is told, are to depend on no file.
    for (const [at, found] of (await this.#correlate(pairs)).entries()) {
      const pair = pairs[at]
      if (pair === undefined) continue
      if (typeof found === 'string') {
        this.#left[found]++
        continue
      }
      for (const [i, correlation] of found.entries()) {
        if (correlation !== null) this.#common[i]?.likeness.add(correlation)
      }
      const likeness = meanOf(found)
      if (likeness !== null && likeness < alike) this.#leastAlike.add({ ...pair, change: 1 - likeness })
    }
  }

  /**
   * One for each pair, by objective.
   *
   * @param pairs no more than a batch
   */
  async #correlate(pairs: readonly ComparedPair[]): Promise<((number | null)[] | 'same' | 'missing')[]> {
    const found = pairs.map((): (number | null)[] | 'same' | 'missing' => 'missing')
    const placed: PlacedPair[] = []
    for (const [at, { a, b }] of pairs.entries()) {
      if (!a.place || !b.place) continue
      if (this.#isOneSet && isSamePlace(a.place, b.place)) found[at] = 'same'
      else placed.push({ at, a: a.place, b: b.place })
    }
    const length = this.#common.length * mapPixels
    const ofA = await this.#gatherA(placed)
    const wanted = ofA.map((pair, slot) => ({ pair, slot, place: pair.b }))
    for await (const { wanted: of, found: ofB } of this.#gathered(this.#b, wanted)) {
      if (ofB === undefined) continue
      found[of.pair.at] = this.#common.map(({ startB }, i) => {
        this.#mapA.read(this.#mapsA, of.slot * length + i * mapPixels)
        this.#mapB.read(ofB.maps.magnitudes, startB)
        return mapCorrelation(this.#mapA, this.#mapB)
      })
    }
    return found
  }

  /** Reads the maps of A of some pairs, and gives those pairs whose are there, in the order in which they now lie. */
  async #gatherA(pairs: readonly PlacedPair[]): Promise<PlacedPair[]> {
    const length = this.#common.length * mapPixels
    const there: PlacedPair[] = []
    const wanted = pairs.map((pair) => ({ pair, place: pair.a }))
    for await (const { wanted: of, found } of this.#gathered(this.#a, wanted)) {
      if (found === undefined) continue
      for (const [i, { startA }] of this.#common.entries()) {
        // A copy: a view would keep the bytes of its whole file.
        const map = found.maps.magnitudes.subarray(startA, startA + mapPixels)
        this.#mapsA.set(map, there.length * length + i * mapPixels)
      }
      there.push(of.pair)
    }
    return there
  }

  async *#gathered<T extends { readonly place: MapPlace }>({ output, set }: ComparedTable, wanted: readonly T[]) {
    for await (const found of gatheredMaps(output, set.id, set.options.objectives.length, wanted, 'magnitudes')) {
      this.#signal.throwIfAborted()
      yield found
    }
  }
}

function pairsWithin(bytes: number, a: ComparedTable, b: ComparedTable): number {
  return Math.max(1, Math.floor(bytes / (commonObjectives(a, b).length * mapPixels * Uint16Array.BYTES_PER_ELEMENT)))
}

function meanOf(correlations: readonly (number | null)[]): number | null {
  const known = correlations.filter((correlation) => correlation !== null)
  return known.length === 0 ? null : known.reduce((sum, correlation) => sum + correlation, 0) / known.length
}

/** The objectives that both result sets have, in the order of A. */
export function commonObjectives(a: ComparedTable, b: ComparedTable): string[] {
  return a.set.options.objectives.filter((objective) => b.set.options.objectives.includes(objective))
}
