import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InputError } from '../base/errors.ts'
import { pathOfFileUri } from '../storage/fileUri.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import type { Store } from '../storage/store.ts'
import type { Sample } from './adapter.ts'
import { IndexTable, type IndexColumns } from './indexTable.ts'

/**
 * Where the file of `--index` or `--boxes` lies: a path as the URI that means the same wherever it is read from; a plain
 * name stays, since it is a key in the dataset.
 */
export function indexLocation(given: string): string {
  return isAbsolute(given) || /^\.\.?\//.test(given) ? pathToFileURL(resolve(given)).href : given
}

/**
 * Reads an index: a key in the dataset, or an `s3://` or `file://` URI (at the dataset's endpoint). Only the listing side
 * does so; what it found reaches workers as each sample's truth. Raises InputError `bad-index`.
 */
export async function readIndex(
  dataset: Store,
  location: string,
  columns: IndexColumns,
  needed: 'box' | null = null,
): Promise<IndexTable> {
  const found = location.includes('://') ? await getByUri(location, dataset.endpoint) : await dataset.get(location)
  const name = location.includes('://') ? location : `${dataset.uri}${location}`
  if (found === undefined) {
    throw new InputError(
      'bad-index',
      `${name} does not exist; a file outside the dataset is named by its URI or ./path`,
    )
  }
  return new IndexTable(found.bytes, name, columns, needed)
}

async function getByUri(uri: string, endpoint: string | undefined): Promise<{ bytes: Uint8Array } | undefined> {
  const path = uri.startsWith('file://') ? pathOfFileUri(uri) : undefined
  const slash = uri.lastIndexOf('/') + 1
  // Loaded only here: the adapters' options are known to commands that have no use for any store.
  const { openStore } = await import('../storage/open.ts')
  const store = openStore(path === undefined ? uri.slice(0, slash) : dirname(path), { endpoint })
  try {
    return await store.get(path === undefined ? uri.slice(slash) : basename(path))
  } finally {
    store.close()
  }
}

/**
 * The samples that an index names, with what it says of them; what is only listed is left out. What is only in the index
 * is handed over, too, since an image that is silently missing would make another set of it: a worker finds that it is
 * not there and says so.
 */
export async function* joinIndex(
  index: IndexTable,
  listing: AsyncIterable<Sample>,
  after?: string,
): AsyncIterable<Sample> {
  const listed = listing[Symbol.asyncIterator]()
  try {
    let next = await listed.next()
    for (const { key, truth } of index.rows(after)) {
      while (next.done !== true && compareKeys(next.value.key, key) < 0) next = await listed.next()
      if (next.done === true || next.value.key !== key) {
        yield { key, etag: '', sizeBytes: 0, companions: [], truth }
        continue
      }
      const fault = truth.fault ?? next.value.truth?.fault
      yield { ...next.value, truth: fault === undefined ? truth : { ...truth, fault } }
    }
  } finally {
    await listed.return?.()
  }
}
