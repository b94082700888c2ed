import { compareKeys } from '../storage/keyOrder.ts'
import type { ListOptions, ObjectInfo, Store } from '../storage/store.ts'
import { wrapped } from '../storage/wrapped.ts'

/**
 * So many samples of the state lie between two that are asked for, at least, where a listing is begun anew: that takes as
 * long as a few pages of S3, or reading the names of a large folder.
 */
const rowsWorthAJump = 10_000

/** Samples that are asked for, one or near each other. */
interface Stretch {
  /** The key of the state before them; undefined: from the start. */
  readonly after: string | undefined
  readonly last: string
}

/**
 * The part of a dataset that is asked for: a listing of it begins before each asked sample, shows what lies beside it
 * (a pose file, say), and skips what is far from any. All else is the dataset itself, so an adapter notices nothing but a
 * smaller dataset.
 *
 * @param asked keys of the state in their order, and which of them are asked for; read anew by each listing
 */
export function nearListing(
  dataset: Store,
  asked: () => AsyncIterable<{ readonly key: string; readonly isAsked: boolean }>,
  jumpRows = rowsWorthAJump,
): Store {
  return wrapped(dataset, {
    async *list(options: ListOptions = {}): AsyncIterable<ObjectInfo> {
      let reached = options.after
      for await (const { after, last } of stretches(asked(), jumpRows)) {
        if (reached !== undefined && compareKeys(last, reached) <= 0) continue
        const from = after === undefined || (reached !== undefined && compareKeys(reached, after) > 0) ? reached : after
        const own = last.slice(0, last.lastIndexOf('.') + 1)
        for await (const object of dataset.list({ ...options, ...(from === undefined ? {} : { after: from }) })) {
          // What belongs to the last one may follow it: `a.mat` comes after `a.jpg`.
          if (compareKeys(object.key, last) > 0 && (own === '' || !object.key.startsWith(own))) break
          reached = object.key
          yield object
        }
      }
    },
  })
}

async function* stretches(
  asked: AsyncIterable<{ readonly key: string; readonly isAsked: boolean }>,
  jumpRows: number,
): AsyncGenerator<Stretch> {
  let before: string | undefined
  let stretch: Stretch | undefined
  let rowsSince = 0
  for await (const { key, isAsked } of asked) {
    if (!isAsked) rowsSince++
    else if (stretch !== undefined && rowsSince < jumpRows) stretch = { ...stretch, last: key }
    else {
      if (stretch !== undefined) yield stretch
      stretch = { after: before, last: key }
    }
    if (isAsked) rowsSince = 0
    before = key
  }
  if (stretch !== undefined) yield stretch
}
