import { parquetMetadataAsync, parquetRead, type AsyncBuffer, type ColumnData, type FileMetaData } from 'hyparquet'

export type Cell = string | number | boolean | null

/** The file's bytes, or whatever gives ranges of them. */
export type TableSource = Uint8Array | AsyncBuffer

/** One row group of an `angles.parquet`, as columns. */
export interface TableChunk {
  /** Place of its first row in the table. */
  readonly from: number
  readonly rows: number
  /** Rows of the whole table. */
  readonly total: number
  /** By name, in the order in which they were asked for. A column that the file lacks is empty: its cells are null. */
  readonly cells: ReadonlyMap<string, readonly (Cell | undefined)[]>
}

/**
 * The row groups of an `angles.parquet` in file order, one decoded at a time. `columns` leaves the others undecoded; those
 * that the file lacks, since an older headlight wrote it, are empty.
 */
export async function* readTableColumns(table: TableSource, columns?: readonly string[]): AsyncGenerator<TableChunk> {
  const file = asBuffer(table)
  const metadata = await parquetMetadataAsync(file)
  const total = Number(metadata.num_rows)
  let from = 0
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows)
    yield { from, rows, total, cells: await readRows(file, metadata, from, from + rows, columns) }
    from += rows
  }
}

/** A table of which single rows are read: its footer, which tells where they lie, is read once. */
export interface TableRows {
  /** Cells by column, null where the file lacks it; only the row's own group is decoded. Undefined beyond the last row. */
  row(at: number, columns?: readonly string[]): Promise<ReadonlyMap<string, Cell> | undefined>
}

export async function openTableRows(table: TableSource): Promise<TableRows> {
  const file = asBuffer(table)
  const metadata = await parquetMetadataAsync(file)
  return {
    row: async (at, columns) => {
      if (at >= Number(metadata.num_rows)) return undefined
      const cells = await readRows(file, metadata, at, at + 1, columns)
      return new Map([...cells].map(([name, column]) => [name, column[0] ?? null]))
    },
  }
}

async function readRows(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowStart: number,
  rowEnd: number,
  columns: readonly string[] | undefined,
): Promise<Map<string, Cell[]>> {
  const present = new Set(metadata.schema.slice(1).map((element) => element.name))
  const wanted: readonly string[] = columns ?? [...present]
  const read = wanted.filter((name) => present.has(name))
  const cells = new Map<string, Cell[]>(wanted.map((name) => [name, []]))
  const onChunk = ({ columnName, columnData, rowStart: first }: ColumnData) => {
    const column = cells.get(columnName)
    if (column === undefined) return
    // The pages of a single row hold its neighbours as well. The writer wrote these columns with the types of
    // `tableColumns`; the reader types them as unknown.
    for (let i = Math.max(0, rowStart - first); i < columnData.length && first + i < rowEnd; i++) {
      column[first - rowStart + i] = columnData[i] as Cell
    }
  }
  await parquetRead({ file, metadata, columns: read, rowStart, rowEnd, onChunk })
  return cells
}

function asBuffer(table: TableSource): AsyncBuffer {
  if (!(table instanceof Uint8Array)) return table
  // A copy of each range: the reader wants an ArrayBuffer of its own, and row groups are small.
  return { byteLength: table.byteLength, slice: (start, end) => copied(table.subarray(start, end)) }
}

function copied(bytes: Uint8Array): ArrayBuffer {
  const own = new ArrayBuffer(bytes.byteLength)
  new Uint8Array(own).set(bytes)
  return own
}
