import { InputError } from '../base/errors.ts'
import type { Store } from './store.ts'

/** An object that is read in slices, and so never held as a whole. */
export interface SlicedObject {
  readonly byteLength: number
  /** Bytes from `start` up to `end`. Default: to its end. */
  slice(start: number, end?: number): Promise<ArrayBuffer>
}

/**
 * Undefined when there is no such object. A slice raises InputError `held` when the object has been replaced or removed
 * since: what was read before would not fit it.
 *
 * @param whereRemoved the likely cause of its removal and what to do, as the end of a sentence
 */
export async function slicedObject(
  store: Store,
  key: string,
  whereRemoved = 'start again',
): Promise<SlicedObject | undefined> {
  const info = await store.head(key)
  if (info === undefined) return undefined
  return {
    byteLength: info.sizeBytes,
    slice: async (start, end = info.sizeBytes) => {
      if (start === end) return new ArrayBuffer(0)
      const found = await store.get(key, { range: { start, end } })
      if (found === undefined) {
        throw new InputError('held', `${store.uri}${key} was removed while it was read; ${whereRemoved}`)
      }
      if (found.info.etag !== info.etag) {
        const message = `${store.uri}${key} was replaced while it was read; wait for whoever writes it, then start again`
        throw new InputError('held', message)
      }
      // A copy: the bytes may be a view into a larger buffer.
      const buffer = new ArrayBuffer(found.bytes.byteLength)
      new Uint8Array(buffer).set(found.bytes)
      return buffer
    },
  }
}
