import type { AdapterOptions } from '../../../dataset/adapters.ts'
import type { LeftOut } from '../../../dataset/leftOut.ts'
import type { AngleName } from '../../../pose/euler.ts'
import type { Ranking } from '../../../pose/readings.ts'
import type { Network } from '../../../saliency/networks/network.ts'
import type { Finding, UnusableLabels } from './survey.ts'

export interface Range {
  readonly min: number
  readonly max: number
}

/** What `dataset check --json` prints. The names are a contract: add, don't rename. */
export interface DatasetCheck {
  readonly dataset: string
  readonly adapter: AdapterOptions
  readonly samples: number
  /** Samples looked at, and how many of them could be read. */
  readonly lookedAt: number
  readonly read: number
  /** Faults that the listing of all samples shows, and those of the samples looked at. */
  readonly listingFindings: readonly Finding[]
  readonly findings: readonly Finding[]
  /**
   * Labels that cannot be used and cost no map: those that the listing of all samples shows, and others among the samples
   * looked at. Absent when there is none.
   */
  readonly listingUnusableLabels?: UnusableLabels
  readonly unusableLabels?: UnusableLabels
  /** Files that may be images and are no samples, by reason; empty when there is none. */
  readonly leftOut: LeftOut
  /** Ranges over the samples read, degrees; null when none has a pose. */
  readonly labels: ({ readonly n: number } & Readonly<Record<AngleName, Range>>) | null
  /** Longer sides of the boxes, image pixels; null when none has a box. */
  readonly boxes: { readonly n: number; readonly side: Range } | null
  /** The contact sheet's path, null when no sample could be read, and the keys of its tiles in reading order. */
  readonly sheet: string | null
  readonly tiles: readonly string[]
  /** Only with --network, and where labels and all three estimates are there. */
  readonly network: (Pick<Network, 'file' | 'digest' | 'externalData'> & { readonly ranking: Ranking | null }) | null
  readonly warnings: readonly string[]
}
