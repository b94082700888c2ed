import { SampleError } from '../base/errors.ts'
import type { Store } from '../storage/store.ts'
import type { Sample } from './adapter.ts'

/**
 * A small file that belongs to a sample, exactly as it was listed. Raises SampleError `changed` when it was replaced or
 * removed since: its ETag is part of the sample's fingerprint, and a record must not be of another file than that says.
 */
export async function readCompanion(dataset: Store, sample: Sample, key: string): Promise<Uint8Array> {
  const listed = sample.companions.find((companion) => companion.key === key)
  if (listed === undefined) throw new SampleError('bad-label', `${dataset.uri}${key} is missing; put it back`)
  const found = await dataset.get(key)
  if (found?.info.etag === listed.etag) return found.bytes
  throw new SampleError('changed', `${dataset.uri}${key} was replaced after it was listed; the next run takes it`)
}

/** Raises as SampleError `bad-label` what the listing already found wrong with a sample. */
export function refuseFault(sample: Sample): void {
  const fault = sample.truth?.fault
  if (fault !== undefined) throw new SampleError('bad-label', fault)
}
