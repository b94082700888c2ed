/** What can be done in a store, as its rights name it. */
export type Access = 'list' | 'read' | TriedAccess
/** What is tried on a key of which there is no object. */
export type TriedAccess = 'write' | 'delete' | 'give up uploads' | 'find uploads'

/** What the trial of a probe has shown. */
export interface ProbeFacts {
  /** Whether the store honours conditions: then two runs cannot both take a result set. */
  readonly isConditional: boolean
}

/**
 * What a store lets this process do, found out without leaving anything in it. What is refused is an InputError
 * `access-denied`; other errors say that nothing can be told of the store. Names and patterns are keys in the store, with
 * `*` for any text, as S3's policies write them.
 */
export interface StoreTrial {
  readonly uri: string
  /** Whether rights differ from key to key; else the probe has shown all of them. */
  readonly hasRightsByKey: boolean
  /** How whoever gives it calls this right: `s3:PutObject on heads/out/*`. */
  right(access: Access, pattern: string): string
  /** What a probe is called, with `*`. */
  readonly probePattern: string
  /** The key of an object that can be read, undefined where none is. */
  list(): Promise<string | undefined>
  read(key: string): Promise<void>
  /** Writes a probe if it is absent, and over itself. */
  writeProbe(): Promise<ProbeFacts>
  readProbe(): Promise<void>
  deleteProbe(): Promise<void>
  /** Where the probe is, or a folder that was made for it; undefined while there is nothing to remove. */
  readonly left: string | undefined
  /**
   * Whether this key could be written, deleted, and an upload to it given up or found; no such object is there before or
   * after.
   */
  mayDo(access: TriedAccess, key: string): Promise<void>
  close(): void
}
