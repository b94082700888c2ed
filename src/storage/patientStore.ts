import type { Patience } from './patience.ts'
import type { GetOptions, ListOptions, ObjectInfo, ObjectWriter, PutOptions, Store } from './store.ts'

/**
 * A store whose calls wait out its faults (see `Patience`). A listing goes on after the last key that it gave. `check`
 * is passed on as it is: what it finds is for the one who has just typed the command.
 */
export class PatientStore implements Store {
  readonly uri: string
  readonly endpoint: string | undefined
  readonly #store: Store
  readonly #patience: Patience

  constructor(store: Store, patience: Patience) {
    this.uri = store.uri
    this.endpoint = store.endpoint
    this.#store = store
    this.#patience = patience
  }

  async *list(options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    const wait = this.#patience.begin(this)
    let { after } = options
    for (;;) {
      try {
        for await (const object of this.#store.list({ ...options, ...(after === undefined ? {} : { after }) })) {
          wait.end()
          after = object.key
          yield object
        }
        wait.end()
        return
      } catch (error) {
        await wait.after(error)
      }
    }
  }

  async *folders(prefix: string): AsyncIterable<string> {
    // Few, and there is no listing them from a name on.
    yield* await this.#patience.call(this, async () => {
      const names: string[] = []
      for await (const name of this.#store.folders(prefix)) names.push(name)
      return names
    })
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#patience.call(this, () => this.#store.head(key))
  }

  get(key: string, options?: GetOptions): Promise<{ info: ObjectInfo; bytes: Uint8Array } | undefined> {
    return this.#patience.call(this, () => this.#store.get(key, options))
  }

  put(key: string, bytes: Uint8Array | string, options: PutOptions = {}): Promise<string | false> {
    let mayBeWritten = false
    return this.#patience.call(this, async () => {
      try {
        const etag = await this.#store.put(key, bytes, options)
        return etag === false && mayBeWritten ? await this.#etagOfOurs(key, bytes) : etag
      } catch (error) {
        mayBeWritten = true
        throw error
      }
    })
  }

  /** A condition that does not hold any more may have been broken by our own write, whose answer was lost. */
  async #etagOfOurs(key: string, bytes: Uint8Array | string): Promise<string | false> {
    const present = await this.#store.get(key)
    return present !== undefined && Buffer.from(bytes).equals(present.bytes) && present.info.etag
  }

  write(key: string, options?: Pick<PutOptions, 'contentType'>): ObjectWriter {
    const writer = this.#store.write(key, options)
    return {
      append: (bytes) => this.#patience.call(this, () => writer.append(bytes)),
      commit: () => this.#patience.call(this, () => writer.commit()),
      discard: () => writer.discard(),
    }
  }

  delete(key: string): Promise<void> {
    return this.#patience.call(this, () => this.#store.delete(key))
  }

  removeLeftovers(prefix: string, isHeld: (key: string) => boolean): Promise<void> {
    return this.#patience.call(this, () => this.#store.removeLeftovers(prefix, isHeld))
  }

  conditionalPut(): Promise<boolean> {
    return this.#patience.call(this, () => this.#store.conditionalPut())
  }

  check(access: 'read' | 'write'): Promise<void> {
    return this.#store.check(access)
  }

  close(): void {
    this.#store.close()
  }
}
