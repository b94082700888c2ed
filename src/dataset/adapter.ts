import type { Pose } from '../pose/euler.ts'
import type { Store } from '../storage/store.ts'
import type { LeftOutListener } from './leftOut.ts'

/** A rectangle in image pixels: x0, y0 inclusive, x1, y1 exclusive; may be fractional and reach past the image's edge. */
export interface Box {
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
}

/** What a layout tells about one image besides its pixels; all null for plain images. */
export interface Truth {
  readonly pose: Pose | null
  /** The part of the image that the network shall see; null means all of it. */
  readonly box: Box | null
  readonly subject: string | null
  readonly sequence: string | null
  readonly frame: string | null
  /** The name of the face, where an image has several. */
  readonly face?: string | undefined
  /**
   * The index of its class, a whole number from 0; text where the layout names something else there. Absent where it names
   * none.
   */
  readonly class?: number | string | undefined
  /** Why what the layout says of this sample cannot be used; `read` raises it as `bad-label`. */
  readonly fault?: string | undefined
  /**
   * What of an index's row is at fault, where the map depends on it: its box, or that there are several rows. Absent
   * where it is the label alone. No part of the fingerprint: the sentence is.
   */
  readonly faultOf?: 'box' | 'rows' | undefined
}

/** One image of a dataset, as the listing shows it. */
export interface Sample {
  readonly key: string
  /**
   * Empty for an image that an index names and the listing lacks, and for a link that leads nowhere: it becomes a failed
   * record `vanished`.
   */
  readonly etag: string
  readonly sizeBytes: number
  /** The listing does not tell the image's key for certain: nothing is read by it. */
  readonly isGarbled?: true
  /**
   * ETags of whatever else decides the sample's result (pose file, calibration, index row), sorted by key. They enter
   * the fingerprint, so that a corrected label makes the sample new.
   */
  readonly companions: readonly { readonly key: string; readonly etag: string }[]
  /** Truth that only the listing side can know (a row of an index). Absent where `read` finds it out by itself. */
  readonly truth?: Truth
  /**
   * What earlier versions of headlight knew of the same sample, where that was something else: with it a sample that is
   * computed again for that alone can be told from one that has changed.
   */
  readonly formerTruth?: Truth
}

/**
 * Knows one dataset layout. The producer calls `samples`, the worker calls `read`; both are built from the same options,
 * which stand in the result set.
 */
export interface Adapter {
  readonly name: string
  /** Only keys that it matches are read; for messages. */
  readonly glob?: string | undefined
  /**
   * All samples in order of the UTF-8 bytes of their keys, those after `after` only, in constant memory.
   *
   * @param leftOut hears of what may be an image and is no sample; an index says by itself what is one
   */
  samples(dataset: Store, after?: string, leftOut?: LeftOutListener): AsyncIterable<Sample>
  /**
   * Pose, box and names of one sample; may fetch small files beside the image. Raises SampleError `bad-label`, as
   * UnusableLabel where the image can be computed without its label.
   */
  read(dataset: Store, sample: Sample): Promise<Truth>
  /** The key of the image that a sample shows. Absent: the sample's own. */
  imageKey?(sampleKey: string): string
  /** What the last listing that began has shown of the dataset as a whole. */
  overview?(): Overview
  /** Why a key that cannot be laid out in an output is one, where the layout knows better than that. */
  whyBadKey?(dataset: Pick<Store, 'uri'>, sampleKey: string): string | undefined
}

/** What is to be known of a dataset's index as a whole. */
export interface Overview {
  /** Sentences for whoever gave it. */
  readonly warnings: readonly string[]
  /** Samples may have a `formerTruth`. */
  readonly isReadAnew: boolean
}

/** The key of the image that a sample shows: several samples may be faces in one. */
export function imageKeyOf(adapter: Adapter, sampleKey: string): string {
  return adapter.imageKey?.(sampleKey) ?? sampleKey
}
