import { MapReader } from '../../output/mapReader.ts'
import { mapPixels } from '../../output/poseMaps.ts'
import { areOfOneSet, type ComparedTable } from './comparedTable.ts'
import type { MapLikeness } from './comparison.ts'
import { isSamePlace, type ComparedPair } from './comparisonSums.ts'
import { Likeness, type ObjectiveLikeness } from './mapLikeness.ts'

/** Holds the small maps of compared images against each other. */
export class MapComparison {
  readonly #readerA: MapReader
  readonly #readerB: MapReader
  readonly #isOneSet: boolean
  /** Of objectives that both have: where their maps begin in those of a row. */
  readonly #common: readonly { objective: string; startA: number; startB: number; likeness: Likeness }[]
  #same = 0
  #missing = 0

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

  /** Raises what the stores raise. */
  async add({ a, b }: ComparedPair): Promise<void> {
    const [placeA, placeB] = [a.place ?? null, b.place ?? null]
    if (placeA === null || placeB === null) {
      this.#missing++
      return
    }
    if (this.#isOneSet && isSamePlace(placeA, placeB)) {
      this.#same++
      return
    }
    const [mapsA, mapsB] = await Promise.all([this.#readerA.magnitudes(placeA), this.#readerB.magnitudes(placeB)])
    if (mapsA === undefined || mapsB === undefined) {
      this.#missing++
      return
    }
    for (const { startA, startB, likeness } of this.#common) likeness.add(mapsA, startA, mapsB, startB)
  }

  finish(): MapLikeness {
    const told = this.#common.flatMap(({ objective, likeness }): [string, ObjectiveLikeness][] => {
      const found = likeness.finish()
      return found === null ? [] : [[objective, found]]
    })
    return { objectives: Object.fromEntries(told), same: this.#same, missing: this.#missing }
  }
}

/** The objectives that both result sets have, in the order of A. */
export function commonObjectives(a: ComparedTable, b: ComparedTable): string[] {
  return a.set.options.objectives.filter((objective) => b.set.options.objectives.includes(objective))
}
