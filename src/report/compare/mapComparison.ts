import { MapReader } from '../../output/mapReader.ts'
import { mapPixels } from '../../output/poseMaps.ts'
import { areOfOneSet, type ComparedTable } from './comparedTable.ts'
import type { MapLikeness } from './comparison.ts'
import { isSamePlace, type ComparedPair } from './comparisonSums.ts'
import { correlationOf, Likeness, type ObjectiveLikeness } from './mapLikeness.ts'

/** Holds the small maps of compared images against each other. */
export class MapComparison {
  readonly #readerA: MapReader
  readonly #readerB: MapReader
  readonly #isOneSet: boolean
  /** Of objectives that both have: where their maps begin in those of a row. */
  readonly #common: readonly { objective: string; startA: number; startB: number; likeness: Likeness }[]
  readonly #left = { same: 0, missing: 0 }

  constructor(a: ComparedTable, b: ComparedTable) {
    const [ofA, ofB] = [a.set.options.objectives, b.set.options.objectives]
    this.#readerA = new MapReader(a.output, a.set.id, ofA.length)
    this.#readerB = new MapReader(b.output, b.set.id, ofB.length)
    this.#isOneSet = areOfOneSet(a, b)
    this.#common = commonObjectives(a, b).map((objective) => ({
      objective,
      startA: ofA.indexOf(objective) * mapPixels,
      startB: ofB.indexOf(objective) * mapPixels,
      likeness: new Likeness(),
    }))
  }

  /** The mean correlation of the two rows' maps; null where there is none. Raises what the stores raise. */
  async add(pair: ComparedPair): Promise<number | null> {
    const correlations = await this.#correlate(pair)
    if (typeof correlations === 'string') {
      this.#left[correlations]++
      return null
    }
    for (const [i, correlation] of correlations.entries()) {
      if (correlation !== null) this.#common[i]?.likeness.add(correlation)
    }
    return meanOf(correlations)
  }

  /** The same of a pair that has been counted. */
  async likenessOf(pair: ComparedPair): Promise<number | null> {
    const correlations = await this.#correlate(pair)
    return typeof correlations === 'string' ? null : meanOf(correlations)
  }

  async #correlate({ a, b }: ComparedPair): Promise<(number | null)[] | 'same' | 'missing'> {
    const [placeA, placeB] = [a.place ?? null, b.place ?? null]
    if (placeA === null || placeB === null) return 'missing'
    if (this.#isOneSet && isSamePlace(placeA, placeB)) return 'same'
    const [mapsA, mapsB] = await Promise.all([this.#readerA.magnitudes(placeA), this.#readerB.magnitudes(placeB)])
    if (mapsA === undefined || mapsB === undefined) return 'missing'
    return this.#common.map(({ startA, startB }) => correlationOf(mapsA, startA, mapsB, startB))
  }

  finish(): MapLikeness {
    const told = this.#common.flatMap(({ objective, likeness }): [string, ObjectiveLikeness][] => {
      const found = likeness.finish()
      return found === null ? [] : [[objective, found]]
    })
    return { objectives: Object.fromEntries(told), ...this.#left }
  }
}

function meanOf(correlations: readonly (number | null)[]): number | null {
  const known = correlations.filter((correlation) => correlation !== null)
  return known.length === 0 ? null : known.reduce((sum, correlation) => sum + correlation, 0) / known.length
}

/** The objectives that both result sets have, in the order of A. */
export function commonObjectives(a: ComparedTable, b: ComparedTable): string[] {
  return a.set.options.objectives.filter((objective) => b.set.options.objectives.includes(objective))
}
