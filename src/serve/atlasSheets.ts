import { readAtlas, readInputAtlas } from '../output/poseMaps.ts'
import { drawAtlas, type DrawnAtlas } from '../report/atlas/drawAtlas.ts'
import type { Store } from '../storage/store.ts'
import { Kept } from './kept.ts'

/** Atlases that are kept, drawn: some hundred kilobytes each. */
const kept = 4

/** The drawn atlases of runs, the last few that were asked for: a run's atlas never changes. */
export class AtlasSheets {
  readonly #output: Store
  readonly #drawn = new Kept<Promise<DrawnAtlas | null>>(kept)

  constructor(output: Store) {
    this.#output = output
  }

  /** Null when the run has none: an earlier version closed it, or nothing has a map. */
  of(set: string, run: string): Promise<DrawnAtlas | null> {
    const name = `${set}/${run}`
    const drawn = this.#drawn.of(name, () => this.#draw(set, run))
    // One that cannot be read now may be read in a moment.
    drawn.catch(() => this.#drawn.drop(name))
    return drawn
  }

  async #draw(set: string, run: string): Promise<DrawnAtlas | null> {
    const [atlas, inputs] = await Promise.all([
      readAtlas(this.#output, set, run),
      readInputAtlas(this.#output, set, run),
    ])
    // At the best quality: here each picture is a file of its own.
    return atlas === undefined ? null : drawAtlas(atlas, inputs ?? null, Infinity)
  }
}
