import type { Store } from '../storage/store.ts'
import type { Adapter, Sample } from './adapter.ts'
import { refuseFault } from './companion.ts'
import { noTruth } from './images.ts'
import { joinIndex, readIndex } from './indexFile.ts'
import type { IndexColumns } from './indexTable.ts'

/**
 * Images that an index lists, with box, pose and names where it has them. A row's content travels with its sample and is
 * part of its fingerprint, so a corrected row makes the sample new, and a changed column that nobody reads does not.
 */
export function csvAdapter(index: string, columns: IndexColumns): Adapter {
  return {
    name: 'csv',
    samples: async function* (dataset, after) {
      yield* joinIndex(await readIndex(dataset, index, columns), allObjects(dataset, after), after)
    },
    read: async (_dataset, sample) => {
      refuseFault(sample)
      return sample.truth ?? noTruth
    },
  }
}

/** Whatever it is called: the index says that it is an image. */
async function* allObjects(dataset: Store, after: string | undefined): AsyncIterable<Sample> {
  for await (const { key, etag, sizeBytes } of dataset.list(after === undefined ? {} : { after })) {
    yield { key, etag, sizeBytes, companions: [] }
  }
}
