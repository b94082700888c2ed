import { randomBytes } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layout } from '../contract/layout.ts'
import { readTable } from '../contract/table.ts'
import type { TableRow, TableSource } from '../contract/table.ts'
import { InputError } from '../errors.ts'
import type { Store } from '../storage/store.ts'

/**
 * The table that a run left: the state to start from. A store gives whole objects only, and a table of a million rows
 * is 100 MB, of which a listing needs four columns: so it is put aside in a temporary file and read from there.
 */
export class StateTable {
  readonly #source: TableSource | null
  readonly #file: FileHandle | undefined

  private constructor(source: TableSource | null, file?: FileHandle) {
    this.#source = source
    this.#file = file
  }

  /** Null: the state before the first run, without rows. InputError `bad-layout` when the table is gone. */
  static async open(output: Store, set: string, base: string | null): Promise<StateTable> {
    if (base === null) return new StateTable(null)
    const key = layout.runTable(set, base)
    const table = await output.get(key)
    if (table === undefined) {
      const message = `${output.uri}${key} is gone, which is the state of ${set}; restore it, or choose another output`
      throw new InputError('bad-layout', message)
    }
    const file = await temporaryFile(table.bytes)
    if (file === undefined) return new StateTable(table.bytes)
    return new StateTable(fileSource(file, table.bytes.byteLength), file)
  }

  /** Sorted by key. */
  rows(): AsyncIterable<TableRow>
  rows<Name extends string>(columns: readonly Name[]): AsyncIterable<Pick<TableRow, Name>>
  rows(columns?: readonly string[]): AsyncIterable<TableRow> {
    if (this.#source === null) return noRows()
    return readTable(this.#source, columns)
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

/** Without a name from the start, so that nothing stays behind however the process ends. Undefined: no space there. */
async function temporaryFile(bytes: Uint8Array): Promise<FileHandle | undefined> {
  const path = join(tmpdir(), `headlight-state-${randomBytes(6).toString('hex')}`)
  let file: FileHandle | undefined
  try {
    file = await open(path, 'wx+', 0o600)
    await unlink(path)
    await file.writeFile(bytes)
    return file
  } catch {
    // Then the table stays in memory.
    await file?.close()
    return undefined
  }
}

function fileSource(file: FileHandle, byteLength: number): TableSource {
  return {
    byteLength,
    slice: async (start: number, end: number = byteLength): Promise<ArrayBuffer> => {
      const buffer = new ArrayBuffer(end - start)
      const bytes = new Uint8Array(buffer)
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done)
        if (bytesRead === 0) throw new Error('The temporary file of the state ends early; start the run again.')
        done += bytesRead
      }
      return buffer
    },
  }
}

async function* noRows(): AsyncGenerator<TableRow> {}
