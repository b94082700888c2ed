import type { Aggregates } from '../output/aggregates.ts'
import type { OpenRunState } from '../output/openRunState.ts'
import type { Summary } from '../output/summary.ts'
import type { Comparison, LargestChange } from '../report/compare/comparison.ts'
import type { MapFate } from '../report/compare/standingMaps.ts'
import type { TrendRun } from '../report/trend.ts'
import type { Measure } from './measures.ts'

// What the server's addresses below /api/ answer, as JSON, and the browser reads. Both sides import these types.

export type Triple = readonly [yaw: number | null, pitch: number | null, roll: number | null]

/** Status 202: the answer takes a while. Ask again. */
export interface Waiting {
  readonly waiting: {
    /** What is done meanwhile, as a person would read it: `indexing 1,000,000 images`. */
    readonly text: string
    readonly done: number
    /** 0: not known. */
    readonly total: number
  }
}

/** Any status from 400 up. */
export interface Refusal {
  readonly error: { readonly code: string; readonly message: string }
}

/** One row of a table. Angles and errors are degrees. */
export interface RowFacts {
  readonly key: string
  readonly status: 'ok' | 'failed'
  /** Of a failed row. */
  readonly code: string | null
  readonly subject: string | null
  readonly sequence: string | null
  readonly estimate: Triple
  readonly label: Triple
  /** estimate − label; of rows that are left out of all errors as well. */
  readonly error: Triple
  readonly meanError: number | null
  readonly errorGeodesic: number | null
  /** A label lies beyond ±99°. */
  readonly isLeftOutOfErrors: boolean
  /** Of the likeliest bin, by angle. */
  readonly confidence: Triple
  readonly class: number | null
  readonly topClass: number | null
  readonly topClassProbability: number | null
}

/** GET /api/sets */
export interface SetsReply {
  /** URI of the output, without a password. */
  readonly output: string
  readonly headlightVersion: string
  readonly sets: readonly SetEntry[]
}

export interface SetEntry {
  readonly id: string
  /** File of the network. */
  readonly network: string
  /** URI of the dataset, without a password. */
  readonly dataset: string
  readonly scope: string
  readonly objectives: readonly string[]
  /** The run whose table is the state; null before the first. */
  readonly stateRun: string | null
  readonly images: number | null
  readonly failed: number | null
  /** Mean absolute error over the angles that have one, degrees. */
  readonly meanError: number | null
  /** The newest run that there is. `open`: it goes on, or was interrupted. */
  readonly lastRun: { readonly run: string; readonly state: string; readonly closedAt: string | null } | null
  /** Why the set cannot be shown, where it cannot be read; all else of it is then null or empty. */
  readonly problem: string | null
}

/** GET /api/sets/:set/state. Small: it is asked for every few seconds. */
export interface StateReply {
  readonly stateRun: string | null
}

/** GET /api/sets/:set/runs. */
export interface RunsReply {
  /** Oldest first. `hasTable`: it can be shown and compared; the others changed nothing, or retention removed their tables. */
  readonly runs: readonly (TrendRun & { readonly hasTable: boolean })[]
}

/** GET /api/sets/:set?run=RUN. Without `run` the state now. */
export interface SetReply {
  readonly id: string
  readonly network: string
  readonly dataset: string
  readonly scope: string
  readonly objectives: readonly string[]
  /** The run whose table is shown, and the one whose table is the state now. */
  readonly run: string
  readonly stateRun: string
  readonly summary: Summary | null
  readonly aggregates: Aggregates | null
  readonly atlas: AtlasReply | null
  readonly runs: RunsReply['runs']
  /** Charts that are the report's own, HTML of this program, to be shown as it is. */
  readonly charts: readonly { readonly id: string; readonly name: string; readonly html: string }[]
}

export interface AtlasReply {
  /** Cells by their least angles, degrees, with their place in every picture. */
  readonly cells: readonly {
    readonly yaw: number
    readonly pitch: number
    readonly column: number
    readonly row: number
  }[]
  readonly columns: number
  readonly rows: number
  /** Of a tile in a picture, and from one tile to the next, pixels. */
  readonly tileSide: number
  readonly tilePitch: number
  /** Objectives of the atlas that are not drawn. */
  readonly left: number
  readonly pictures: readonly {
    readonly view: 'mean' | 'difference' | 'input'
    /** Null for what the network saw. */
    readonly objective: string | null
    /** Path below the base path, of a picture with all tiles. */
    readonly path: string
    /** Images in all cells. */
    readonly n: number
    /** Images by cell, in the order of `cells`. */
    readonly counts: readonly number[]
    /** Numbers at both ends of the colour scale, and what they count. */
    readonly scale: { readonly low: string; readonly high: string; readonly unit: string }
  }[]
}

/** GET /api/sets/:set/rows?run=RUN&from=N&count=N and the parameters of a selection. */
export interface RowsReply {
  readonly run: string
  /** Differs from `run` as soon as another run has published its table. */
  readonly stateRun: string
  /** Rows of the table. */
  readonly total: number
  /** Rows of the selection. */
  readonly count: number
  readonly from: number
  readonly rows: readonly RowFacts[]
}

/** GET /api/sets/:set/facets?run=RUN and the parameters of a selection: what it can be narrowed by. */
export interface FacetsReply extends Facets {
  readonly run: string
  readonly stateRun: string
  readonly objectives: readonly string[]
}

export interface Facets {
  readonly total: number
  readonly count: number
  readonly failed: number
  /** Mean of `meanError` over the selection; null where no row has one. */
  readonly meanError: number | null
  /** Of measures that some row of the table has. */
  readonly measures: readonly {
    readonly measure: Measure
    /** Over the whole table. */
    readonly least: number
    readonly greatest: number
    /** Rows of the selection by equal bins from `least` to `greatest`. */
    readonly bins: readonly number[]
  }[]
  /** Rows of the selection, without regard to its own choice of names, by name; the most frequent 200 first. */
  readonly subjects: NameCounts
  readonly sequences: NameCounts
  /** Rows by code of failure. */
  readonly codes: NameCounts
}

export interface NameCounts {
  /** The empty name counts rows without one. */
  readonly named: readonly (readonly [name: string, count: number])[]
  /** Names that are not listed. */
  readonly more: number
}

/** GET /api/sets/:set/sample?run=RUN&image=KEY and the parameters of a selection. */
export interface SampleReply {
  readonly run: string
  readonly stateRun: string
  readonly objectives: readonly string[]
  readonly row: RowFacts
  /** Why it failed, or why its label cannot be used. */
  readonly message: string | null
  readonly frame: string | null
  readonly imageSize: { readonly width: number; readonly height: number } | null
  /** Of the network, and so of its maps, pixels. */
  readonly inputSize: { readonly width: number; readonly height: number }
  /** What the network saw of the image, pixels. */
  readonly crop: { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number } | null
  /** By angle that has binned logits. */
  readonly bins: readonly {
    readonly angle: 'yaw' | 'pitch' | 'roll'
    readonly topBin: number
    readonly topProbability: number
    /** Degrees. */
    readonly std: number
    /** Nats. */
    readonly entropy: number
  }[]
  /** URI or path of the image in the dataset. */
  readonly imageUri: string
  readonly maps: readonly {
    readonly objective: string
    /** URI or path of the stored map. */
    readonly uri: string
    /**
     * `stands`: it is this row's. Else why not: a later run overwrote it, its image is gone from the state, it cannot be
     * told, or the image failed and has none.
     */
    readonly fate: 'stands' | 'overwritten' | 'gone' | 'unknown' | 'none'
  }[]
  /** A command line that explains this image alone. */
  readonly explain: string
  readonly position: {
    readonly position: number
    readonly count: number
    readonly previous: string | null
    readonly next: string | null
  } | null
  readonly neighbours: readonly RowFacts[]
}

/**
 * GET /api/compare?a=SET/RUN&b=SET/RUN. A part `/RUN` may be left out: the state now. `b` left out: the state now against
 * the state before `a`, as `headlight compare A` does.
 */
export interface CompareReply {
  readonly title: string
  /** The two tables, and the figures and notes that come first: HTML of this program, to be shown as it is. */
  readonly sides: string
  readonly figures: string
  /** The rest, but for what is the browser's: pose, after `difference`, and the images that changed most, before `made`. */
  readonly sections: readonly { readonly id: string; readonly name: string; readonly html: string }[]
  /** Null where nothing differs over pose. `text` and `bands` are HTML. */
  readonly pose: { readonly text: string; readonly bands: string; readonly cells: Comparison['cells'] } | null
  readonly a: ComparedSide
  readonly b: ComparedSide
  /** Objectives that both have. */
  readonly objectives: readonly string[]
  readonly largestBy: Comparison['largestBy']
  readonly largest: readonly (LargestChange & { readonly fates: { readonly a: MapFate; readonly b: MapFate } })[]
}

/** One of the two tables that were compared, for the addresses of pictures. */
export interface ComparedSide {
  readonly set: string
  readonly run: string
  /** The run whose table was the state: a map that stands is its as well, so that no third table is read for pictures. */
  readonly stateRun: string
  /** Of what the network saw, and of its maps, pixels. */
  readonly inputSize: { readonly width: number; readonly height: number }
}

/** GET /api/live: what goes on now. It is asked for every two seconds. */
export interface LiveReply {
  readonly at: string
  /** The Redis that workers were asked of, without a password; null: none was found or given. */
  readonly redis: string | null
  /** Redis does not answer; what `workers` would be is then not known. */
  readonly isRedisSilent: boolean
  /** Processes that gave a sign of life within the last minute. */
  readonly workers: readonly {
    readonly host: string
    readonly pid: number
    readonly version: string
    readonly engine: string
    readonly device: string
    /** Processes of it that compute. */
    readonly units: number
    /** What it does, in a word or two. */
    readonly state: string
    /** Over its last ten seconds; null while it is silent. */
    readonly imagesPerSecond: number | null
    readonly lastSignSecondsAgo: number
  }[]
  /** Runs that are not closed. */
  readonly runs: readonly LiveRun[]
}

export interface LiveRun {
  readonly set: string
  readonly network: string
  readonly run: string
  readonly state: OpenRunState
  readonly startedAt: string
  /** Images of committed shards. */
  readonly done: number
  /** Null while the listing goes on. */
  readonly total: number | null
  /** Over the last minute in which somebody looked; null where nothing is known yet. */
  readonly imagesPerSecond: number | null
  /** Images whose records were read: those that landed while somebody looked, and the last ones before. */
  readonly read: number
  /** Of those. */
  readonly failuresByCode: Readonly<Record<string, number>>
  /** The objective whose maps are shown. */
  readonly objective: string
  /** Keys of the last images with maps, newest first. */
  readonly latest: readonly string[]
}
