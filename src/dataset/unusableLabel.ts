import { SampleError } from '../base/errors.ts'
import type { Store } from '../storage/store.ts'
import type { Adapter, Sample, Truth } from './adapter.ts'

/**
 * The label of a sample cannot be used, but all that its map depends on is known: it is computed without a label. To
 * whoever knows no better it is any other `bad-label`.
 */
export class UnusableLabel extends SampleError {
  /** What is known besides: it has no pose. */
  readonly truth: Truth

  constructor(message: string, truth: Truth, options?: { cause?: unknown }) {
    super('bad-label', message, options)
    this.truth = truth
  }
}

/** What is known of a sample, and why its label cannot be used where it cannot. Raises SampleError. */
export async function readTruth(
  adapter: Adapter,
  dataset: Store,
  sample: Sample,
): Promise<{ readonly truth: Truth; readonly labelFault?: string }> {
  try {
    return { truth: await adapter.read(dataset, sample) }
  } catch (error) {
    if (!(error instanceof UnusableLabel)) throw error
    return { truth: error.truth, labelFault: error.message }
  }
}
