import { correlationStep, mapPixels, type CellMaps, type PairSum, type PoseMaps } from '../../output/poseMaps.ts'
import { mapCorrelation, WholeMap } from './wholeMap.ts'

type Sign = 1 | -1

/** Sums of one cell in the making. */
type OpenCell = { -readonly [Name in keyof CellMaps]: CellMaps[Name] }
type OpenPair = { -readonly [Name in keyof PairSum]: PairSum[Name] }

/**
 * Sums of maps by cell, to which rows are added and from which they are subtracted again. Whole numbers throughout, so
 * that what is left does not depend on the order, nor on what has come and gone: its bytes are those of a fresh sum.
 */
class CellSums {
  readonly #cells = new Map<number, OpenCell>()
  readonly #length: number
  #n = 0

  constructor(channels: number, from: PoseMaps | undefined) {
    this.#length = channels * mapPixels
    for (const [cell, { n, sums }] of from?.cells ?? []) {
      this.#cells.set(cell, { n, sums: sums.slice() })
      this.#n += n
    }
  }

  /** Rows in all cells. */
  get n(): number {
    return this.#n
  }

  /** Counts a row, and gives the sums that it is added to or subtracted from. */
  count(cell: number, sign: Sign): Float64Array {
    let open = this.#cells.get(cell)
    if (open === undefined) {
      open = { n: 0, sums: new Float64Array(this.#length) }
      this.#cells.set(cell, open)
    }
    open.n += sign
    this.#n += sign
    return open.sums
  }

  /** Without the cells of which nothing is left. */
  finish(): ReadonlyMap<number, CellMaps> {
    for (const [cell, { n }] of this.#cells) if (n === 0) this.#cells.delete(cell)
    return this.#cells
  }
}

/** Sums of magnitude maps by objective and cell, and of the correlations between the maps of each row. */
export class MagnitudeSums {
  readonly #objectives: readonly string[]
  readonly #cells: CellSums
  readonly #maps: readonly WholeMap[]
  readonly #pairs: readonly { readonly name: string; readonly a: number; readonly b: number; readonly sum: OpenPair }[]

  /** @param from what to go on from; nothing without it */
  constructor(objectives: readonly string[], from?: PoseMaps) {
    this.#objectives = objectives
    this.#cells = new CellSums(objectives.length, from)
    this.#maps = objectives.map(() => new WholeMap())
    this.#pairs = objectives.flatMap((first, a) =>
      objectives.slice(a + 1).map((second, i) => {
        const name = `${first}~${second}`
        return { name, a, b: a + 1 + i, sum: { ...(from?.pairs.get(name) ?? { n: 0, steps: 0 }) } }
      }),
    )
  }

  /** Rows in all cells. */
  get n(): number {
    return this.#cells.n
  }

  /** @param patterns the row's maps as float16 bit patterns, one objective after the other (objectives × 784) */
  add(cell: number, patterns: Uint16Array): void {
    this.#apply(cell, patterns, 1)
  }

  /** Takes back what `add` was called with. */
  subtract(cell: number, patterns: Uint16Array): void {
    this.#apply(cell, patterns, -1)
  }

  #apply(cell: number, patterns: Uint16Array, sign: Sign): void {
    const sums = this.#cells.count(cell, sign)
    for (const [channel, map] of this.#maps.entries()) map.read(patterns, channel * mapPixels, sums, sign)
    for (const { a, b, sum } of this.#pairs) {
      const [first, second] = [this.#maps[a], this.#maps[b]]
      const correlation = first && second ? mapCorrelation(first, second) : null
      if (correlation === null) continue
      sum.n += sign
      sum.steps += sign * Math.round(correlation / correlationStep)
    }
  }

  /** A row without any map in a pair that correlates leaves the pair out. */
  finish(): PoseMaps {
    const pairs = this.#pairs.filter(({ sum }) => sum.n > 0).map(({ name, sum }): [string, PairSum] => [name, sum])
    return { channels: this.#objectives, cells: this.#cells.finish(), pairs: new Map(pairs) }
  }
}

/** Sums of what the network saw, by cell: 28 × 28 grey levels a row. */
export class InputSums {
  readonly #cells: CellSums

  /** @param from what to go on from; nothing without it */
  constructor(from?: PoseMaps) {
    this.#cells = new CellSums(1, from)
  }

  /** Rows in all cells. */
  get n(): number {
    return this.#cells.n
  }

  add(cell: number, levels: Uint8Array): void {
    const sums = this.#cells.count(cell, 1)
    for (let i = 0; i < mapPixels; i++) sums[i] = (sums[i] ?? 0) + (levels[i] ?? 0)
  }

  /** Takes back what `add` was called with. */
  subtract(cell: number, levels: Uint8Array): void {
    const sums = this.#cells.count(cell, -1)
    for (let i = 0; i < mapPixels; i++) sums[i] = (sums[i] ?? 0) - (levels[i] ?? 0)
  }

  finish(): PoseMaps {
    return { channels: ['input'], cells: this.#cells.finish(), pairs: new Map() }
  }
}
