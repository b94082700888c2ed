/** One object as a listing shows it. A folder's ETag is `<size>-<mtimeNs>`. */
export interface ObjectInfo {
  /** Key relative to the store's own prefix, `/` between parts, never starting with `/`. */
  readonly key: string
  readonly etag: string
  readonly sizeBytes: number
  /** The store's listing does not tell the key for certain: whoever asks for the object may get none, or another. */
  readonly isGarbled?: true
}

export interface ListOptions {
  /** Only keys that start with this. Default: all. */
  readonly prefix?: string
  /** Only keys that sort strictly after this one (UTF-8 bytes). Default: from the start. */
  readonly after?: string
  /**
   * For whoever must not miss anything without a word. Called with the files of a folder that no key can name, before a
   * key of that folder is listed, and again whenever the folder is read again. A file whose name is no UTF-8 is told with
   * U+FFFD where its bytes are none, so that two of them may look alike.
   *
   * A link that leads nowhere is then listed as well, with an empty ETag: it is an object that cannot be read. It may have
   * been a folder, so right before that it is told as one of which nothing (no key) can be seen. Without this it is no
   * object.
   */
  readonly onUnnamed?: (folder: string, keys: readonly string[]) => void
}

export interface PutOptions {
  readonly contentType?: string
  /** Write only when no object of this key exists. Needs `conditionalPut`. */
  readonly ifAbsent?: boolean
  /**
   * Write only over the object that has this ETag. Needs `conditionalPut`. S3's ETag is a digest of the bytes: give each
   * version bytes of its own (a counter, a time), or a version that comes back matches again.
   */
  readonly ifMatch?: string
}

export interface GetOptions {
  readonly signal?: AbortSignal
  /** Only these bytes: `start` inclusive, `end` exclusive, both within the object. `info` is of the whole object. */
  readonly range?: { readonly start: number; readonly end: number }
}

/**
 * An object in the making. Nothing of it can be seen before `commit`, and after `discard` nothing is left. Calls come one
 * after the other. One that raised a TransientError has changed nothing and may be repeated; any other error is the end,
 * and `discard` is what remains.
 */
export interface ObjectWriter {
  /** The bytes follow those before. They may be changed once the promise is fulfilled. */
  append(bytes: Uint8Array): Promise<void>
  /** Puts the object in the place of whatever has its key; the new ETag. */
  commit(): Promise<string>
  /** After `commit` it does nothing. Never raises: what cannot be removed now, the store's own cleaning removes. */
  discard(): Promise<void>
}

/**
 * A flat, ordered space of objects under one URI prefix. Two drivers stand behind it (`s3.ts`, `filesystem.ts`) and pass
 * one contract suite. All methods raise the classes of `errors.ts`: `InputError` (`no-such-bucket`, `access-denied`,
 * `unreachable`), `TransientError` (`store-busy`, after the driver's own short retries), `PlaceError` (`disk-full`, …).
 */
export interface Store {
  /** The canonical absolute URI, ending in `/`: `s3://bucket/prefix/` or `file:///folder/`. */
  readonly uri: string
  /** The endpoint when it is not the default one of the SDK; part of what a worker needs to find the store again. */
  readonly endpoint: string | undefined

  /** Every object in order of the UTF-8 bytes of its key (not JavaScript's `<`), in constant memory. */
  list(options?: ListOptions): AsyncIterable<ObjectInfo>
  /**
   * Names (no slash) of the folders directly below `prefix` (which ends in `/` or is empty), in the order in which their
   * keys come in a listing: `a-b` before `a`, since `a-b/` sorts before `a/`.
   */
  folders(prefix: string): AsyncIterable<string>
  /** `undefined` when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>
  /** `undefined` when there is no such object. `info` belongs to exactly the bytes returned. */
  get(key: string, options?: GetOptions): Promise<{ info: ObjectInfo; bytes: Uint8Array } | undefined>
  /**
   * Whole object or nothing, also across `kill -9`. `false` when `ifAbsent` or `ifMatch` did not hold (nothing is
   * written then), else the new ETag.
   */
  put(key: string, bytes: Uint8Array | string, options?: PutOptions): Promise<string | false>
  /**
   * For what is too large to be held in memory: whole object or nothing as with `put`, in memory that does not grow with
   * it. The caller ends it with `commit` or `discard`, whatever happens.
   */
  write(key: string, options?: Pick<PutOptions, 'contentType'>): ObjectWriter
  /** No error when there is no such object. */
  delete(key: string): Promise<void>
  /**
   * Removes what writers that have ended left below `prefix` (which ends in `/`): files in the making and, of keys that
   * `isHeld` names, open multipart uploads. Who made an upload cannot be told: call it only where nobody else may write
   * such a key now. What may not be removed stays.
   */
  removeLeftovers(prefix: string, isHeld: (key: string) => boolean): Promise<void>
  /** Whether `ifAbsent` and `ifMatch` are honoured; probed once with a throw-away key, then remembered. */
  conditionalPut(): Promise<boolean>
  /** Raises the precise error when the bucket or folder is missing or refuses `access`; creates a missing output folder. */
  check(access: 'read' | 'write'): Promise<void>
  close(): void
}
