import { existsSync } from 'node:fs'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InputError } from '../base/errors.ts'
import { pathOfFileUri } from '../storage/fileUri.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import type { Store } from '../storage/store.ts'
import type { Sample } from './adapter.ts'
import type { IndexColumns } from './indexSource.ts'
import { IndexTable } from './indexTable.ts'

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
    const isHere = !location.includes('://') && existsSync(location)
    const meant = isHere ? `; did you mean ./${location}?` : ''
    throw new InputError(
      'bad-index',
      `${name} does not exist; a file outside the dataset is named by its URI or ./path${meant}`,
    )
  }
  return new IndexTable(found.bytes, { file: name, columns, dataset: dataset.uri, needed })
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
 *
 * Images come in the order of their keys, samples must come in that of theirs, which is another where an image's key is
 * the beginning of another's: `a.jpg#1` follows `a.jpg!b.jpg#1`. So samples wait until no image to come can have one
 * before them, which is hardly ever longer than until the next image.
 */
export async function* joinIndex(
  index: IndexTable,
  listing: (after: string | undefined) => AsyncIterable<Sample>,
  after?: string,
): AsyncIterable<Sample> {
  const listed = listing(index.listedAfter(after))[Symbol.asyncIterator]()
  const waiting: Sample[] = []
  try {
    let next = await listed.next()
    for (const { image, samples } of index.images(after)) {
      for (let first = waiting[0]; first !== undefined && compareKeys(first.key, image) <= 0; first = waiting[0]) {
        yield first
        waiting.shift()
      }
      while (next.done !== true && compareKeys(next.value.key, image) < 0) next = await listed.next()
      const found = next.done !== true && next.value.key === image ? next.value : undefined
      for (const { key, truth, formerTruth } of samples) {
        const fault = truth.fault ?? found?.truth?.fault
        const sample: Sample = {
          key,
          etag: found?.etag ?? '',
          sizeBytes: found?.sizeBytes ?? 0,
          companions: found?.companions ?? [],
          truth: fault === undefined ? truth : { ...truth, fault },
          ...(formerTruth === undefined ? {} : { formerTruth }),
          ...(found?.isGarbled === true ? { isGarbled: true } : {}),
        }
        const place = waiting.findLastIndex((other) => compareKeys(other.key, key) < 0) + 1
        waiting.splice(place, 0, sample)
      }
    }
    yield* waiting
  } finally {
    await listed.return?.()
  }
}
