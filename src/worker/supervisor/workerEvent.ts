import type { HeadlightError } from '../../base/errors.ts'
import type { ShardJob, ShardResult } from '../../queue/jobs.ts'
import type { Measured } from '../measurements.ts'

/** What a worker tells its owner besides its log. */
export type WorkerEvent =
  | { readonly type: 'unit-started'; readonly unit: string; readonly pid: number | undefined }
  | { readonly type: 'unit-died'; readonly unit: string; readonly pid: number | undefined; readonly why: string }
  /** The memory does not hold it: it is not replaced. */
  | { readonly type: 'unit-dismissed'; readonly unit: string; readonly pid: number | undefined }
  /** Nothing is pulled any more, until `place-retry`. */
  | {
      readonly type: 'place-fault'
      readonly code: HeadlightError['code']
      readonly message: string
      /** Faults in a row, this one included. */
      readonly attempt: number
      readonly retryInMs: number
    }
  | { readonly type: 'place-retry' }
  /** The run's own files are bad: its shards are put aside, others are pulled. */
  | {
      readonly type: 'run-fault'
      readonly run: string
      readonly code: HeadlightError['code']
      readonly message: string
      /** In a row of this run, this one included. */
      readonly attempt: number
      readonly retryInMs: number
    }
  | { readonly type: 'shard'; readonly job: string; readonly shard: ShardJob; readonly result: ShardResult }
  /** An attempt failed. Not after the last one the shard is tried again by itself, else when its producer asks anew. */
  | { readonly type: 'shard-failed'; readonly job: string; readonly isLastAttempt: boolean }
  /** Outside of --allow: put aside, for others. */
  | {
      readonly type: 'refused'
      readonly run: string
      readonly code: HeadlightError['code']
      readonly message: string
    }
  | { readonly type: 'measured'; readonly measured: Measured }
