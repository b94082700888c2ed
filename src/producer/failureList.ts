import { layout } from '../contract/layout.ts'
import type { TableRow } from '../contract/table.ts'
import type { Store } from '../storage/store.ts'

const header = 'key,code,message\r\n'
/** Some 20 MB; a dataset of which every object is unreadable must not fill the memory. */
const rowsOfAPart = 100_000

/** Writes the failed records of a state as CSV: `failures.csv`, and further parts of it once that is full. */
export class FailureList {
  readonly #output: Store
  readonly #set: string
  readonly #run: string
  readonly #rowsOfAPart: number
  #lines = [header]
  #part = 0

  constructor(output: Store, set: string, run: string, partRows = rowsOfAPart) {
    this.#output = output
    this.#set = set
    this.#run = run
    this.#rowsOfAPart = partRows
  }

  async add(row: Pick<TableRow, 'key' | 'code' | 'message'>): Promise<void> {
    if (this.#lines.length > this.#rowsOfAPart) await this.#put()
    this.#lines.push(line(row))
  }

  /** Also without a failure: `failures.csv` says so, in the place of what an earlier attempt may have left. */
  async finish(): Promise<void> {
    await this.#put()
  }

  async #put(): Promise<void> {
    const key = layout.failures(this.#set, this.#run, this.#part)
    await this.#output.put(key, this.#lines.join(''), { contentType: 'text/csv; charset=utf-8' })
    this.#part++
    this.#lines = [header]
  }
}

/** One line of RFC 4180. */
function line({ key, code, message }: Pick<TableRow, 'key' | 'code' | 'message'>): string {
  return `${[key, code ?? '', message ?? ''].map(csvField).join(',')}\r\n`
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
