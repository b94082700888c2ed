import { InputError } from '../base/errors.ts'
import type { Store } from '../storage/store.ts'
import type { Adapter, Sample } from './adapter.ts'

/**
 * The first `count` samples, fewer when there are no more. Raises InputError `empty-dataset` when there is none: a folder
 * on which nothing is mounted looks like a dataset whose images were all deleted, and taking it for that would empty the
 * table of a result set.
 */
export async function requireImages(adapter: Adapter, dataset: Store, count: number): Promise<Sample[]> {
  const samples: Sample[] = []
  for await (const sample of adapter.samples(dataset)) {
    if (samples.push(sample) >= count) break
  }
  if (samples.length === 0) throw emptyDataset(adapter, dataset)
  return samples
}

export function emptyDataset(adapter: Pick<Adapter, 'name' | 'glob'>, dataset: Pick<Store, 'uri'>): InputError {
  const { name, glob } = adapter
  const message =
    glob === undefined
      ? `${dataset.uri} holds no image that the adapter ${name} reads; check that it is the right place, that it is mounted, and --adapter`
      : `${dataset.uri} holds no image that the adapter ${name} reads and --glob '${glob}' matches; check the pattern, the place and --adapter`
  return new InputError('empty-dataset', message)
}
