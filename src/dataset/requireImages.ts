import { InputError } from '../base/errors.ts'
import type { Store } from '../storage/store.ts'
import type { Adapter, Sample } from './adapter.ts'
import { LeftOutTally, leftOutText, type LeftOut } from './leftOut.ts'

/**
 * The first `count` samples, fewer when there are no more. Raises InputError `empty-dataset` when there is none: a folder
 * on which nothing is mounted looks like a dataset whose images were all deleted, and taking it for that would empty the
 * table of a result set.
 */
export async function requireImages(adapter: Adapter, dataset: Store, count: number): Promise<Sample[]> {
  const samples: Sample[] = []
  const leftOut = new LeftOutTally()
  for await (const sample of adapter.samples(dataset, undefined, leftOut)) {
    // A folder of links into a disk that is not mounted is such a folder, too.
    if (sample.etag === '' && sample.truth === undefined) continue
    if (samples.push(sample) >= count) break
  }
  if (samples.length === 0) throw emptyDataset(adapter, dataset, leftOut.counts())
  return samples
}

export function emptyDataset(
  adapter: Pick<Adapter, 'name' | 'glob'>,
  dataset: Pick<Store, 'uri'>,
  leftOut: LeftOut,
): InputError {
  const { name, glob } = adapter
  const said = leftOutText(leftOut)
  const leaving = said === undefined ? '' : ` (left out: ${said})`
  const message =
    glob === undefined
      ? `${dataset.uri} holds no image that the adapter ${name} reads${leaving}; check that it is the right place, that it is mounted, and --adapter`
      : `${dataset.uri} holds no image that the adapter ${name} reads and --glob '${glob}' matches${leaving}; check the pattern, the place and --adapter`
  return new InputError('empty-dataset', message)
}
