import { InputError } from '../base/errors.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import type { Truth } from './adapter.ts'
import { CsvError, csvRows } from './csvRows.ts'

/** What a column of an index can tell of a sample. */
export const indexFields = [
  'key',
  'yaw',
  'pitch',
  'roll',
  'x0',
  'y0',
  'x1',
  'y1',
  'subject',
  'sequence',
  'frame',
] as const
type IndexField = (typeof indexFields)[number]
/** The names of columns that are not called like what they hold. */
export type IndexColumns = Readonly<Partial<Record<IndexField, string>>>

/** By column name. */
type Cells = (column: string) => unknown

const angleFields = ['yaw', 'pitch', 'roll'] as const
const boxFields = ['x0', 'y0', 'x1', 'y1'] as const
const numberFields = [...angleFields, ...boxFields]
const nameFields = ['subject', 'sequence', 'frame'] as const

/** What V8 can hold as one text, and a bit less. */
const largestIndexBytes = 500_000_000

/**
 * What an index says, sorted by key. All of it is held in memory: about 56 bytes a row and the key itself, 150 MB for a
 * million rows.
 */
export class IndexTable {
  readonly #keys: string[] = []
  readonly #order: Uint32Array
  /** Seven numbers a row, NaN for what is not there. */
  #numbers = new Float64Array(numberFields.length * 1024)
  readonly #names = new Map<(typeof nameFields)[number], (string | null)[]>()
  readonly #faults = new Map<number, string>()

  /**
   * Reads a CSV file with a header, or JSON Lines (recognised by its first brace), in UTF-8. `file` is what to call it in
   * messages. Raises InputError `bad-index` when it is neither, lacks a column, or a row has no key; a row that is wrong
   * in any other way is the fault of its own sample.
   */
  constructor(bytes: Uint8Array, file: string, columns: IndexColumns, needed: 'box' | null = null) {
    const source = new IndexSource(bytes, file, columns)
    if (needed === 'box') source.require(boxFields)
    for (const field of nameFields) if (source.has(field)) this.#names.set(field, [])
    for (const { line, cells } of source.rows()) this.#add(source, line, cells, needed)
    const order = Uint32Array.from(this.#keys.keys())
    this.#order = order.sort((a, b) => compareKeys(this.#keys[a] ?? '', this.#keys[b] ?? '') || a - b)
  }

  /** The truth of every key after `after`, in order of the keys' bytes. */
  *rows(after?: string): Generator<{ readonly key: string; readonly truth: Truth }> {
    for (let at = 0; at < this.#order.length;) {
      const row = this.#order[at] ?? 0
      const key = this.#keys[row] ?? ''
      let next = at + 1
      while (next < this.#order.length && this.#keys[this.#order[next] ?? 0] === key) next++
      if (after === undefined || compareKeys(key, after) > 0) {
        const truth = this.#truth(row)
        const same = this.#order.subarray(at + 1, next).every((other) => this.#says(other) === this.#says(row))
        const fault = `The index has ${next - at} rows for this image that say different things; leave one of them.`
        yield { key, truth: same ? truth : { ...truth, pose: null, box: null, fault } }
      }
      at = next
    }
  }

  #add(source: IndexSource, line: number, cells: Cells, needed: 'box' | null): void {
    const row = this.#keys.length
    this.#keys.push(source.key(line, cells))
    if ((row + 1) * numberFields.length > this.#numbers.length) {
      const larger = new Float64Array(this.#numbers.length * 2)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    const numbers = numberFields.map((field) => numberOf(source.cell(field, cells)))
    this.#numbers.set(
      numbers.map((value) => value ?? NaN),
      row * numberFields.length,
    )
    const fault = faultOf(numbers, needed)
    if (fault !== undefined) this.#faults.set(row, `Line ${line} of the index: ${fault}; correct it.`)
    for (const [field, names] of this.#names) names.push(nameOf(source.cell(field, cells)))
  }

  #truth(row: number): Truth {
    const from = row * numberFields.length
    const [yaw = NaN, pitch = NaN, roll = NaN, x0 = NaN, y0 = NaN, x1 = NaN, y1 = NaN] = this.#numbers.subarray(
      from,
      from + numberFields.length,
    )
    const fault = this.#faults.get(row)
    const name = (field: (typeof nameFields)[number]) => this.#names.get(field)?.[row] ?? null
    const sound = fault === undefined
    return {
      pose: sound && !Number.isNaN(yaw) ? { yaw, pitch, roll } : null,
      box: sound && !Number.isNaN(x0) ? { x0, y0, x1, y1 } : null,
      subject: name('subject'),
      sequence: name('sequence'),
      frame: name('frame'),
      ...(sound ? {} : { fault }),
    }
  }

  #says(row: number): string {
    return JSON.stringify(this.#truth(row))
  }
}

/** A file of one of the two kinds, read as rows of named cells. */
class IndexSource {
  readonly #file: string
  readonly #text: string
  readonly #columns: IndexColumns
  /** Undefined for JSON Lines, whose rows name their cells themselves. */
  readonly #header: readonly string[] | undefined

  constructor(bytes: Uint8Array, file: string, columns: IndexColumns) {
    this.#file = file
    this.#columns = columns
    this.#text = this.#decode(bytes)
    if (/^\s*\{/.test(this.#text)) return
    this.#header = this.#guard(() => csvRows(this.#text).next().value?.cells)
    if (this.#header === undefined) throw this.#error('is empty')
    const doubled = this.#header.find((name, index) => this.#header?.indexOf(name) !== index && this.#isUsed(name))
    if (doubled !== undefined) throw this.#error(`has two columns called "${doubled}"`)
    for (const [, name] of Object.entries(columns)) this.#requireColumn(name)
    this.#requireColumn(this.#column('key'))
    for (const group of [angleFields, boxFields]) if (group.some((field) => this.has(field))) this.require(group)
  }

  has(field: IndexField): boolean {
    return this.#header?.includes(this.#column(field)) ?? true
  }

  require(fields: readonly IndexField[]): void {
    for (const field of fields) this.#requireColumn(this.#column(field))
  }

  cell(field: IndexField, cells: Cells): unknown {
    return cells(this.#column(field))
  }

  key(line: number, cells: Cells): string {
    const key = nameOf(this.cell('key', cells))
    if (key !== null) return key
    throw this.#error(`line ${line} has no key in "${this.#column('key')}"`)
  }

  *rows(): Generator<{ line: number; cells: Cells }> {
    if (this.#header === undefined) yield* this.#jsonRows()
    else yield* this.#csvRows(this.#header)
  }

  *#csvRows(header: readonly string[]): Generator<{ line: number; cells: Cells }> {
    const places = new Map(header.map((name, index) => [name, index]))
    const rows = csvRows(this.#text)
    rows.next()
    for (;;) {
      const next = this.#guard(() => rows.next())
      if (next.done === true) return
      const { line, cells } = next.value
      if (cells.length !== header.length) {
        throw this.#error(`line ${line} has ${cells.length} cells, but the header has ${header.length}`)
      }
      yield { line, cells: (column) => cells[places.get(column) ?? -1] }
    }
  }

  *#jsonRows(): Generator<{ line: number; cells: Cells }> {
    let line = 0
    for (let at = 0; at < this.#text.length;) {
      const end = this.#text.indexOf('\n', at)
      const text = this.#text.slice(at, end < 0 ? undefined : end)
      at = end < 0 ? this.#text.length : end + 1
      line++
      if (text.trim() === '') continue
      const row = parseJson(text)
      if (typeof row !== 'object' || row === null) throw this.#error(`line ${line} is no JSON object`)
      const members = new Map<string, unknown>(Object.entries(row))
      yield { line, cells: (column) => members.get(column) }
    }
  }

  #decode(bytes: Uint8Array): string {
    if (bytes.length > largestIndexBytes) throw this.#error(`is larger than ${largestIndexBytes / 1e6} MB`)
    try {
      // Takes a byte order mark away, too.
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch (cause) {
      throw this.#error('is not in UTF-8', cause)
    }
  }

  #guard<T>(read: () => T): T {
    try {
      return read()
    } catch (cause) {
      throw cause instanceof CsvError ? this.#error(`is no CSV: ${cause.message}`, cause) : cause
    }
  }

  #column(field: IndexField): string {
    return this.#columns[field] ?? field
  }

  #isUsed(name: string): boolean {
    return ['key' as const, ...numberFields, ...nameFields].some((field) => this.#column(field) === name)
  }

  #requireColumn(name: string): void {
    if (this.#header === undefined || this.#header.includes(name)) return
    throw this.#error(`has no column "${name}" (it has ${this.#header.join(', ')}); name the columns with --columns`)
  }

  #error(what: string, cause?: unknown): InputError {
    return new InputError('bad-index', `${this.#file} ${what}`, { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Null for an empty cell, NaN for one that is no number. */
function numberOf(cell: unknown): number | null {
  if (cell === undefined || cell === null) return null
  if (typeof cell === 'number') return cell + 0
  if (typeof cell !== 'string') return NaN
  const text = cell.trim()
  if (text === '') return null
  // Number() would also take 0x10 and Infinity.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) + 0 : NaN
}

function nameOf(cell: unknown): string | null {
  return (typeof cell === 'string' && cell !== '') || typeof cell === 'number' ? String(cell) : null
}

function faultOf(numbers: readonly (number | null)[], needed: 'box' | null): string | undefined {
  const [yaw, pitch, roll, x0, y0, x1, y1] = numbers.map((value) => value ?? undefined)
  const wrong = numberFields.find((_, index) => Number.isNaN(numbers[index]))
  if (wrong !== undefined) return `${wrong} is no number`
  const angles = [yaw, pitch, roll].filter((value) => value !== undefined)
  const sides = [x0, y0, x1, y1].filter((value) => value !== undefined)
  if (angles.length !== 0 && angles.length !== angleFields.length) return 'one of yaw, pitch and roll is missing'
  if (angles.some((degrees) => Math.abs(degrees) > 180)) return 'an angle lies beyond ±180°'
  if (sides.length !== (needed === 'box' || sides.length > 0 ? boxFields.length : 0))
    return 'x0, y0, x1 or y1 is missing'
  if (x0 !== undefined && x1 !== undefined && y0 !== undefined && y1 !== undefined && !(x1 > x0 && y1 > y0)) {
    return 'its box is empty'
  }
  return undefined
}
