import type { Aggregates } from '../output/aggregates.ts'
import type { ResultSet } from '../output/resultSet.ts'
import type { Summary } from '../output/summary.ts'
import type { AngleName, Degrees } from '../pose/euler.ts'
import type { DrawnAtlas } from './atlas/drawAtlas.ts'
import type { AngleDistribution } from './distribution.ts'
import type { FailureGroup } from './failureExamples.ts'
import type { ThumbnailLayout } from './thumbnail.ts'
import type { TrendRun } from './trend.ts'

/** One sample of the gallery, as the page's script reads it. Angles are in the order yaw, pitch, roll. */
export interface GallerySample {
  readonly key: string
  /** Place in the table, which is sorted by the bytes of the key. */
  readonly order: number
  readonly estimate: readonly (Degrees | null)[]
  readonly label: readonly (Degrees | null)[]
  readonly error: readonly (Degrees | null)[]
  /** The likeliest class of a classifier, where the table tells it. */
  readonly top: { readonly class: number; readonly probability: number } | null
  readonly mean: Degrees | null
  readonly worst: boolean
  readonly spaced: boolean
  /** Data URI. */
  readonly picture: string
  /** What a reader should know about this sample, e.g. that its image is gone. */
  readonly notes: readonly string[]
}

export interface PageContent {
  readonly set: ResultSet
  readonly summary: Summary
  readonly failures: readonly FailureGroup[]
  /** How many labels cannot be used, and the first of them in the table's order; null when there is none. */
  readonly unusableLabels: { readonly count: number; readonly example: { key: string; message: string } } | null
  /** Why the labels look like radians; null when they don't. */
  readonly radianHint: string | null
  /** False where the network is an ordinary classifier. */
  readonly hasAngles: boolean
  readonly distributions: Readonly<Record<AngleName, AngleDistribution>>
  /** What the rows of the state amount to; null where the run that made it is of an earlier version. So is the atlas. */
  readonly aggregates: Aggregates | null
  readonly atlas: DrawnAtlas | null
  /** The last runs, oldest first. */
  readonly runs: readonly TrendRun[]
  readonly samples: readonly GallerySample[]
  /** Evenly spaced samples that the page had no room for; none but where keys are very long. */
  readonly samplesLeftOut: number
  /** The objectives that the thumbnails show; at most as many as the result set has. */
  readonly objectives: readonly string[]
  readonly layout: ThumbnailLayout
}
