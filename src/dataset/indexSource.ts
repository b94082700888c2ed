import { InputError } from '../base/errors.ts'
import { CsvError, csvRows } from './csvRows.ts'

/** What a column of an index can tell of a sample. */
export const indexFields = [
  'key',
  'face',
  'class',
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
export type IndexField = (typeof indexFields)[number]
/** The names of columns that are not called like what they hold. */
export type IndexColumns = Readonly<Partial<Record<IndexField, string>>>

/**
 * Read only from columns that somebody named: one that merely happens to be called `face` would make other samples of the
 * same rows, and one called `class` would make every sample of an index new that is read already.
 */
const namedFields: ReadonlySet<IndexField> = new Set<IndexField>(['face', 'class'])

export const angleFields = ['yaw', 'pitch', 'roll'] as const
export const boxFields = ['x0', 'y0', 'x1', 'y1'] as const

/** By column name. */
type Cells = (column: string) => unknown

export interface IndexRow {
  readonly line: number
  readonly cells: Cells
}

interface FoundColumn {
  readonly name: string
  /** False where blanks or capitals were overlooked: earlier versions did not find such a column. */
  readonly isExact: boolean
}

/** What V8 can hold as one text, and a bit less. */
const largestIndexBytes = 500_000_000

/** A CSV file with a header or JSON Lines, read as rows of named cells. Raises InputError `bad-index`. */
export class IndexSource {
  readonly #file: string
  readonly #text: string
  readonly #columns: IndexColumns
  readonly #isJson: boolean
  /** The header, or of JSON Lines every name that a row has. */
  readonly #names: readonly string[]
  readonly #found = new Map<IndexField, FoundColumn>()

  constructor(bytes: Uint8Array, file: string, columns: IndexColumns) {
    this.#file = file
    this.#columns = columns
    this.#text = this.#decode(bytes)
    this.#isJson = /^\s*\{/.test(this.#text)
    this.#names = this.#isJson ? this.#jsonNames() : this.#header()
    this.#findColumns()
    const doubled = this.#names.find((name, index) => this.#names.indexOf(name) !== index && this.#isUsed(name))
    if (doubled !== undefined) throw this.#error(`has two columns called "${doubled}"`)
    for (const field of indexFields) if (columns[field] !== undefined) this.#requireColumn(field)
    this.#requireColumn('key')
    for (const group of [angleFields, boxFields]) if (group.some((field) => this.has(field))) this.require(group)
  }

  has(field: IndexField): boolean {
    return this.#found.has(field)
  }

  /** Whether earlier versions read these fields, too: they overlooked neither blanks nor capitals. */
  isExact(fields: readonly IndexField[]): boolean {
    return fields.every((field) => this.#found.get(field)?.isExact ?? true)
  }

  /** Columns that nothing is read from. */
  get unread(): string[] {
    // Tables that a program has written often begin with a column of row numbers that has no name.
    return [...new Set(this.#names)].filter((name) => name.trim() !== '' && !this.#isUsed(name))
  }

  require(fields: readonly IndexField[]): void {
    for (const field of fields) this.#requireColumn(field)
  }

  cell(field: IndexField, { cells }: IndexRow): unknown {
    const found = this.#found.get(field)
    return found === undefined ? undefined : cells(found.name)
  }

  /** A cell as text; null where there is none. */
  text(field: IndexField, row: IndexRow): string | null {
    const cell = this.cell(field, row)
    const text = (typeof cell === 'string' && cell !== '') || typeof cell === 'number' ? String(cell) : null
    // Where the header is written as earlier versions took it, so are the cells: a name that begins with a blank does so
    // in every fingerprint.
    if (text === null || this.#found.get(field)?.isExact !== false) return text
    return text.trim() === '' ? null : text.trim()
  }

  key(row: IndexRow): string {
    const text = this.text('key', row)
    if (text !== null && text !== '') return text
    throw this.#error(`line ${row.line} has no key in "${this.#columns.key ?? 'key'}"`)
  }

  /**
   * Blanks at its ends do not count. Empty where a row names none, as is natural for an image with one face; undefined
   * where no column is named for it.
   */
  face(row: IndexRow): string | undefined {
    return this.#columns.face === undefined ? undefined : (this.text('face', row)?.trim() ?? '')
  }

  *rows(): Generator<IndexRow> {
    if (this.#isJson) {
      for (const { line, members } of this.#jsonRows()) yield { line, cells: (column) => members.get(column) }
      return
    }
    const places = new Map(this.#names.map((name, index) => [name, index]))
    const rows = csvRows(this.#text)
    rows.next()
    for (;;) {
      const next = this.#guard(() => rows.next())
      if (next.done === true) return
      const { line, cells } = next.value
      if (cells.length !== this.#names.length) {
        throw this.#error(`line ${line} has ${cells.length} cells, but the header has ${this.#names.length}`)
      }
      yield { line, cells: (column) => cells[places.get(column) ?? -1] }
    }
  }

  #header(): readonly string[] {
    const header = this.#guard(() => csvRows(this.#text).next().value?.cells)
    if (header === undefined) throw this.#error('is empty')
    return header
  }

  #jsonNames(): readonly string[] {
    const names = new Set<string>()
    for (const { members } of this.#jsonRows()) for (const name of members.keys()) names.add(name)
    return [...names]
  }

  *#jsonRows(): Generator<{ line: number; members: ReadonlyMap<string, unknown> }> {
    let line = 0
    for (let at = 0; at < this.#text.length;) {
      const end = this.#text.indexOf('\n', at)
      const text = this.#text.slice(at, end < 0 ? undefined : end)
      at = end < 0 ? this.#text.length : end + 1
      line++
      if (text.trim() === '') continue
      const row = parseJson(text)
      if (typeof row !== 'object' || row === null) throw this.#error(`line ${line} is no JSON object`)
      yield { line, members: new Map<string, unknown>(Object.entries(row)) }
    }
  }

  /**
   * A column called exactly like what is wanted, or else the only one that differs in blanks and capitals alone. Angles
   * and boxes are taken so only as a whole: a lone `Yaw` was passed over by earlier versions, and is no reason to refuse
   * an index that they took.
   */
  #findColumns(): void {
    const wanted = indexFields.filter((field) => !namedFields.has(field) || this.#columns[field] !== undefined)
    const nameOf = (field: IndexField) => this.#columns[field] ?? field
    for (const field of wanted) {
      if (this.#names.includes(nameOf(field))) this.#found.set(field, { name: nameOf(field), isExact: true })
    }
    const loose = new Map<IndexField, string>()
    // Those that somebody named come first: `yaw=pitch` leaves no `Pitch` for the pitch.
    const isNamed = (field: IndexField) => this.#columns[field] !== undefined
    for (const field of [...wanted.filter(isNamed), ...wanted.filter((field) => !isNamed(field))]) {
      if (this.#found.has(field)) continue
      const taken = [...loose.values()]
      const alike = this.#names.filter((name) => folded(name) === folded(nameOf(field)))
      const [only] = alike
      if (only === undefined || alike.length > 1 || this.#isUsed(only) || taken.includes(only)) continue
      loose.set(field, only)
    }
    for (const [field, name] of loose) {
      const group = [angleFields, boxFields].find((fields) => fields.some((member) => member === field))
      const isWhole = group === undefined || group.every((member) => loose.has(member) || this.#found.has(member))
      if (isWhole) this.#found.set(field, { name, isExact: false })
    }
  }

  #isUsed(name: string): boolean {
    return [...this.#found.values()].some((found) => found.name === name)
  }

  #requireColumn(field: IndexField): void {
    // A row of JSON Lines may lack what another has. A face may be blank, and a class missing, so that nothing else tells
    // a misspelt column.
    if (this.has(field) || (this.#isJson && !namedFields.has(field))) return
    const name = this.#columns[field] ?? field
    const separator = this.#separator()
    if (separator !== undefined) {
      throw this.#error(`is separated by ${separator} and must be by commas; numbers are written with points`)
    }
    throw this.#error(`has no column "${name}" (it has ${this.#names.join(', ')}); name the columns with --columns`)
  }

  /** What stands in place of commas: spreadsheets in much of Europe write semicolons. */
  #separator(): 'semicolons' | 'tabs' | undefined {
    const [header = '', ...more] = this.#names
    if (more.length > 0) return undefined
    return header.includes(';') ? 'semicolons' : header.includes('\t') ? 'tabs' : undefined
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

  #error(what: string, cause?: unknown): InputError {
    return new InputError('bad-index', `${this.#file} ${what}`, { cause })
  }
}

function folded(name: string): string {
  return name.trim().toLowerCase()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
