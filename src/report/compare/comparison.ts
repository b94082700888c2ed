import type { Degrees, Pose } from '../../pose/euler.ts'
import type { FailureGroup } from '../failureExamples.ts'
import type { ComparedGroup, Metric } from './groupSums.ts'
import type { ObjectiveLikeness } from './mapLikeness.ts'
import type { NamedGroups } from './nameGroups.ts'
import type { Interval } from './pairedInterval.ts'
import type { SetDifference } from './setDifferences.ts'
import type { SideErrors } from './sideErrors.ts'

/** One of the two tables that are compared: A, before, or B, after. */
export interface ComparisonSide {
  /** URI of the result set. */
  readonly resultSet: string
  readonly run: string
  /** When that run was closed; null when its summary is not there. */
  readonly closedAt: string | null
  /** Whether its table is the result set's state now. */
  readonly isState: boolean
  readonly network: string
  readonly scope: string
  readonly objectives: readonly string[]
  /** All rows of the table, whether or not the other has their images. */
  readonly all: SideErrors
}

/** What was resampled for the intervals. */
export interface IntervalBasis {
  /** What is drawn as a whole: images of one subject, or of one sequence, are not independent of each other. */
  readonly unit: 'subject' | 'sequence' | 'image'
  /** How many there are. */
  readonly units: number
  /** Units beyond the first 10,000 share a place with others. */
  readonly areShared: boolean
  /** Compared images without the name of their unit, which count as one unit more. */
  readonly unnamed: number
  /** `normal`: of very many single images, from the spread of their differences. */
  readonly method: 'bootstrap' | 'normal'
  /** Fewer than 10 units, of which an interval says little. */
  readonly isFew: boolean
}

/** The maps of both tables beside each other. */
export interface MapLikeness {
  /** By objective that both result sets have. */
  readonly objectives: Readonly<Record<string, ObjectiveLikeness>>
  /** Images whose maps are the very same file's, which are left out. */
  readonly same: number
  /** Images of which one of the two has no small map that could be read. */
  readonly missing: number
}

/** One of the images that changed most. */
export interface LargestChange {
  readonly key: string
  readonly subject: string | null
  readonly sequence: string | null
  /** Mean |error| of B − that of A over the angles that both have; null when it has no label. */
  readonly delta: Degrees | null
  /** Mean |estimate of B − estimate of A|; null when the networks give no angle. */
  readonly disagreement: Degrees | null
  /** Mean correlation of its maps in A with those in B over the objectives that both have; null where there is none. */
  readonly likeness: number | null
  readonly label: { readonly [Key in keyof Pose]: Degrees | null }
  readonly a: { readonly [Key in keyof Pose]: Degrees | null }
  readonly b: { readonly [Key in keyof Pose]: Degrees | null }
}

/** What `compare --json` prints. The names are a contract: add, don't rename. A is before, B after, and each difference is B − A. */
export interface Comparison {
  readonly a: ComparisonSide
  readonly b: ComparisonSide
  /** What made the two result sets and is not the same in both. */
  readonly differences: readonly SetDifference[]
  /** What a reader has to know besides. */
  readonly notes: readonly string[]
  readonly images: {
    /** In both tables, with the same fingerprint, failed in neither. */
    readonly compared: number
    /** In both with another fingerprint: image or label is another. Not compared. */
    readonly changed: number
    readonly onlyA: number
    readonly onlyB: number
    readonly failedBoth: number
    readonly failedOnlyA: number
    readonly failedOnlyB: number
    /** Compared images whose labels are not the same in both tables: the datasets were read otherwise. */
    readonly otherLabel: number
    /** Compared images of which the networks saw other rectangles. */
    readonly otherCrop: number
    /** Compared images that are left out of all errors, a label lying beyond ±99°. */
    readonly beyondLabelLimit: number
  }
  /** The rows that are not compared, with their own errors; `changedA` and `changedB` are of the same keys. */
  readonly apart: {
    readonly onlyA: SideErrors
    readonly onlyB: SideErrors
    readonly changedA: SideErrors
    readonly changedB: SideErrors
  }
  /** Over all images that are compared. */
  readonly all: ComparedGroup
  /** 95 % intervals of each `delta` of `all`; null where one cannot be told. */
  readonly intervals: { readonly [Key in Metric]?: Interval | null }
  /** Null where no image has a label, or there is one unit only. */
  readonly intervalBasis: IntervalBasis | null
  /**
   * Of |estimate of B − estimate of A|: means by angle; `shift` is the mean of B − A with its sign. Null where the
   * networks give no angle in common.
   */
  readonly disagreement: {
    readonly n: number
    readonly mean: { readonly [Key in Metric]?: Degrees }
    readonly shift: { readonly [Key in keyof Pose]?: Degrees }
  } | null
  /** What placed the images in the grid over yaw and pitch. */
  readonly placedBy: { readonly label: number; readonly estimate: number; readonly none: number }
  /** Cells of 15° that hold a compared image; `yaw` and `pitch` are their least, degrees. */
  readonly cells: readonly (ComparedGroup & { readonly yaw: Degrees; readonly pitch: Degrees })[]
  /** Bands of 15° of |yaw|, from `from` up. */
  readonly bands: readonly (ComparedGroup & { readonly from: Degrees; readonly to: Degrees })[]
  readonly subjects: NamedGroups
  readonly sequences: NamedGroups
  /** By what the largest changes were chosen: where no error is another, by the estimates; where no estimate differs, as between two scopes, by how little their maps are alike. */
  readonly largestBy: 'error' | 'estimate' | 'maps'
  readonly largest: readonly LargestChange[]
  /** Null where the two share no objective, or one has nothing that says where its small maps lie. */
  readonly maps: MapLikeness | null
  /** Images that failed in one and not in the other, by code. */
  readonly failures: { readonly onlyA: readonly FailureGroup[]; readonly onlyB: readonly FailureGroup[] }
}
