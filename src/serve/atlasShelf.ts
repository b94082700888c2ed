import { readAtlas, readInputAtlas } from '../output/poseMaps.ts'
import { atlasSheets, drawSheet, type AtlasSheets } from '../report/atlas/drawAtlas.ts'
import type { Store } from '../storage/store.ts'
import { Kept, keptPromise } from './kept.ts'

/** Atlases whose mean maps are kept: some megabytes each. */
const keptAtlases = 2
/** Pictures that are kept: some hundred kilobytes each. */
const keptPictures = 12

/** The atlases of runs, the last few that were asked for: a run's atlas never changes. */
export class AtlasShelf {
  readonly #output: Store
  readonly #sheets = new Kept<Promise<AtlasSheets | null>>(keptAtlases)
  readonly #pictures = new Kept<Promise<Uint8Array | null>>(keptPictures)

  constructor(output: Store) {
    this.#output = output
  }

  /** Null when the run has none: an earlier version closed it, or nothing has a map. */
  of(set: string, run: string): Promise<AtlasSheets | null> {
    return keptPromise(this.#sheets, `${set}/${run}`, () => this.#read(set, run))
  }

  /**
   * One view as a WebP file; null when the atlas has no such view. Drawn when it is asked for: a reader looks at one or two
   * of them, and all together take as long as the rest of the page.
   */
  picture(set: string, run: string, view: string, objective: string | null): Promise<Uint8Array | null> {
    return keptPromise(this.#pictures, JSON.stringify([set, run, view, objective]), async () => {
      const atlas = await this.of(set, run)
      const sheet = atlas?.sheets.find((each) => each.view === view && each.objective === objective)
      return atlas && sheet ? (await drawSheet(sheet, atlas.grid)).webp : null
    })
  }

  async #read(set: string, run: string): Promise<AtlasSheets | null> {
    const [atlas, inputs] = await Promise.all([
      readAtlas(this.#output, set, run),
      readInputAtlas(this.#output, set, run),
    ])
    return atlas === undefined ? null : atlasSheets(atlas, inputs ?? null)
  }
}
