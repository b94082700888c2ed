import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer'
import type { Cell, Column, TableRow } from '../contract/table.ts'

/** Rows of a row group: what a reader decodes at once, and what the writer holds uncompressed. */
const rowGroupRows = 20_000

const parquetTypes = { string: 'STRING', sortedString: 'STRING', double: 'DOUBLE', int: 'INT32' } as const

/**
 * Writes `angles.parquet` row by row. Holds one row group of rows and the compressed file so far, since a store takes
 * whole objects only: some 100 bytes a row, which is fine for a million rows and not for a hundred million.
 * Equal rows give equal bytes.
 */
export class TableWriter {
  readonly #columns: readonly Column[]
  readonly #bytes = new ByteWriter(1 << 16)
  readonly #parquet: ParquetWriter
  #cells: Cell[][]
  #rows = 0

  constructor(columns: readonly Column[]) {
    this.#columns = columns
    this.#cells = columns.map(() => [])
    const schema = schemaFromColumnData({
      columnData: columns.map(({ name, kind, nullable }) => ({ name, data: [], type: parquetTypes[kind], nullable })),
    })
    this.#parquet = new ParquetWriter({
      writer: this.#bytes,
      schema,
      codec: 'SNAPPY',
      // Readers skip row groups by the least and greatest key; cut to 16 bytes these would all be `images/train/00`.
      statisticsTruncateLength: Infinity,
      createdBy: 'headlight',
    })
  }

  add(row: TableRow): void {
    for (const [i, { name }] of this.#columns.entries()) this.#cells[i]?.push(row[name] ?? null)
    this.#rows++
    if (this.#rows % rowGroupRows === 0) this.#flush()
  }

  finish(): Uint8Array {
    if (this.#rows % rowGroupRows !== 0) this.#flush()
    void this.#parquet.finish()
    return this.#bytes.getBytes()
  }

  #flush(): void {
    const columnData = this.#columns.map(({ name, kind, nullable }, i) => ({
      name,
      data: this.#cells[i] ?? [],
      type: parquetTypes[kind],
      nullable,
      // Keys share all but their ends with the row before; written out they would be a sixth of the file.
      ...(kind === 'sortedString' ? { encoding: 'DELTA_BYTE_ARRAY' as const } : {}),
    }))
    // A ByteWriter never waits: the promise that other writers return is not there.
    void this.#parquet.write({ columnData, rowGroupSize: rowGroupRows })
    this.#cells = this.#columns.map(() => [])
  }
}
