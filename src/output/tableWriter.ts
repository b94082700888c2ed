import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer'
import type { ObjectWriter } from '../storage/store.ts'
import { canonicalJson, type ResultSet } from './resultSet.ts'
import type { Column, TableRow } from './table.ts'
import type { Cell } from './tableColumns.ts'

/**
 * Rows of a row group: what writer and readers hold at once. Twice as many, and whoever reads all columns holds some
 * 150 MB more; half as many, and so does whoever reads the footer of ten million rows.
 */
const rowGroupRows = 10_000

const parquetTypes = {
  string: 'STRING',
  sortedString: 'STRING',
  double: 'DOUBLE',
  int: 'INT32',
  boolean: 'BOOLEAN',
} as const

/**
 * What a table says of its origin, for whoever meets it away from its result set. Only what `set.json` fixes: a run's id
 * or a version would make the tables of two runs differ that hold the same rows.
 */
export function tableProvenance({ id, network, options }: ResultSet): Record<string, string> {
  return {
    'headlight.resultSet': id,
    'headlight.network.file': network.file,
    'headlight.network.sha256': network.digest,
    ...(network.externalData && {
      'headlight.network.externalData.file': network.externalData.file,
      'headlight.network.externalData.sha256': network.externalData.digest,
    }),
    'headlight.network.description': canonicalJson(network.description),
    'headlight.options': canonicalJson(options),
  }
}

/** Hands on what has been written. */
class RowGroupWriter extends ByteWriter {
  readonly #copies: readonly ObjectWriter[]

  constructor(copies: readonly ObjectWriter[]) {
    super(1 << 16)
    this.#copies = copies
  }

  /** The ParquetWriter calls it after each row group, and writes the next when it is done. */
  async flush(): Promise<void> {
    for (const copy of this.#copies) await copy.append(this.getBytes())
    // The offset in the file goes on.
    this.index = 0
  }
}

/**
 * Writes `angles.parquet` row by row into objects that the caller commits or discards. Holds one row group, and of each
 * one written a few kilobytes for the footer. Equal rows give equal bytes.
 */
export class TableWriter {
  readonly #columns: readonly Column[]
  readonly #bytes: RowGroupWriter
  readonly #parquet: ParquetWriter
  #cells: Cell[][]
  #rows = 0

  /**
   * @param copies each gets all bytes
   * @param provenance key-value metadata of the file
   */
  constructor(
    columns: readonly Column[],
    copies: readonly ObjectWriter[],
    provenance: Readonly<Record<string, string>> = {},
  ) {
    this.#columns = columns
    this.#bytes = new RowGroupWriter(copies)
    this.#cells = columns.map(() => [])
    const schema = schemaFromColumnData({
      columnData: columns.map(({ name, kind, nullable }) => ({ name, data: [], type: parquetTypes[kind], nullable })),
    })
    this.#parquet = new ParquetWriter({
      writer: this.#bytes,
      schema,
      codec: 'SNAPPY',
      // Readers skip row groups by the least and greatest key, whole ones; cut to 16 bytes these would all be `images/train/00`.
      statisticsTruncateLength: Infinity,
      createdBy: 'headlight',
      kvMetadata: Object.entries(provenance).map(([key, value]) => ({ key, value })),
    })
  }

  async add(row: TableRow): Promise<void> {
    for (const [i, { name, derive }] of this.#columns.entries()) {
      this.#cells[i]?.push((derive === undefined ? row[name] : derive(row)) ?? null)
    }
    this.#rows++
    if (this.#rows % rowGroupRows === 0) await this.#flush()
  }

  /** Appends the footer. */
  async finish(): Promise<void> {
    if (this.#rows % rowGroupRows !== 0) await this.#flush()
    // At once: only flushing has anything to wait for.
    void this.#parquet.finish()
    await this.#bytes.flush()
  }

  async #flush(): Promise<void> {
    const columnData = this.#columns.map(({ name, kind, nullable }, i) => ({
      name,
      data: this.#cells[i] ?? [],
      type: parquetTypes[kind],
      nullable,
      // Rows are sorted by key, so the others' would let nobody skip anything, and would be most of the footer, which
      // writer and reader hold as a whole.
      statistics: name === 'key',
      // Keys share all but their ends with the row before; written out they would be a sixth of the file.
      ...(kind === 'sortedString' ? { encoding: 'DELTA_BYTE_ARRAY' as const } : {}),
    }))
    this.#cells = this.#columns.map(() => [])
    await this.#parquet.write({ columnData, rowGroupSize: rowGroupRows })
  }
}
