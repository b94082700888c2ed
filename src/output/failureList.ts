import type { ObjectWriter } from '../storage/store.ts'
import type { TableRow } from './table.ts'

const header = 'key,code,message\r\n'
/** Handed on together: a call for each line would cost more than making it. */
const linesAtOnce = 1_000

/** Writes the failed records of a state as CSV into an object that the caller commits or discards. */
export class FailureList {
  readonly #object: ObjectWriter
  #lines = [header]

  constructor(object: ObjectWriter) {
    this.#object = object
  }

  async add(row: Pick<TableRow, 'key' | 'code' | 'message'>): Promise<void> {
    this.#lines.push(line(row))
    if (this.#lines.length >= linesAtOnce) await this.finish()
  }

  /** Without a failure the header alone is left: it takes the place of what an earlier attempt may have written. */
  async finish(): Promise<void> {
    await this.#object.append(Buffer.from(this.#lines.join('')))
    this.#lines = []
  }
}

/** One line of RFC 4180. */
function line({ key, code, message }: Pick<TableRow, 'key' | 'code' | 'message'>): string {
  return `${[key, code ?? '', message ?? ''].map(csvField).join(',')}\r\n`
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
