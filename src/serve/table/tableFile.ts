import { createHash } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { ObjectInfo } from '../../storage/store.ts'
import { namesColumns, numberColumns, type TableArrays } from './tableArrays.ts'

/** Another number whenever the arrays mean something else. */
const format = 1
/** Of all cached tables together; the ones that were not opened for longest go first. */
const keptBytes = 2_000_000_000
const magic = 'headlight table '

const types = { Uint8Array, Uint32Array, Int16Array, Float32Array } as const
type ArrayType = keyof typeof types
type Numbers = Uint8Array | Uint32Array | Int16Array | Float32Array

const headerSchema = z.strictObject({
  format: z.literal(format),
  /** The table that it was made from. */
  etag: z.string(),
  sizeBytes: z.int(),
  rows: z.int().nonnegative(),
  names: z.record(z.enum(namesColumns), z.array(z.string())),
  /** One after the other, behind the header. */
  arrays: z.array(
    z.strictObject({
      name: z.string(),
      type: z.enum(['Uint8Array', 'Uint32Array', 'Int16Array', 'Float32Array']),
      length: z.int().nonnegative(),
      crc32: z.int(),
    }),
  ),
})

/** The file that keeps the arrays of a table, so that the next start reads one file instead of decoding the table. */
export function tableFilePath(folder: string, tableUri: string): string {
  return join(folder, `${createHash('sha256').update(tableUri).digest('hex').slice(0, 32)}.table`)
}

/** Undefined when there is no such file, or it is of another table or version, or damaged: then the table is read anew. */
export async function readTableFile(path: string, table: ObjectInfo): Promise<TableArrays | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const header = await readHeader(file)
    if (header.etag !== table.etag || header.sizeBytes !== table.sizeBytes) return undefined
    const arrays = new Map<string, Numbers>()
    for (const { name, type, length, crc32: expected } of header.arrays) {
      const array = new types[type](length)
      const bytes = bytesOf(array)
      if (!(await fill(file, bytes)) || crc32(bytes) !== expected) return undefined
      arrays.set(name, array)
    }
    const now = new Date()
    // The time of use, by which the oldest are removed. Not everybody mounts file systems with times of reading.
    await utimes(path, now, now).catch(() => undefined)
    return assembled(header, arrays)
  } catch {
    return undefined
  } finally {
    await file?.close()
  }
}

/** Writes the file whole or not at all, and removes older ones beyond the limit. Raises what the file system raises. */
export async function writeTableFile(path: string, table: ObjectInfo, arrays: TableArrays): Promise<void> {
  const folder = join(path, '..')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const parts = partsOf(arrays)
  const { names } = arrays
  const header = JSON.stringify({
    format,
    etag: table.etag,
    sizeBytes: table.sizeBytes,
    rows: arrays.rows,
    names: { subject: names.subject.names, sequence: names.sequence.names, code: names.code.names },
    arrays: parts.map(([name, array]) => ({
      name,
      type: array.constructor.name,
      length: array.length,
      crc32: crc32(bytesOf(array)),
    })),
  })
  const text = Buffer.from(header)
  const start = Buffer.from(`${magic}${String(text.length).padStart(12)}`)
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    for (const bytes of [start, text, ...parts.map(([, array]) => bytesOf(array))]) await file.writeFile(bytes)
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
  await removeOldest(folder)
}

function partsOf({ keys, keyEnds, numbers, names, failed, leftOut, cells }: TableArrays): [string, Numbers][] {
  return [
    ['keys', keys],
    ['keyEnds', keyEnds],
    ['failed', failed],
    ['leftOut', leftOut],
    ['cells', cells],
    ...namesColumns.map((column): [string, Numbers] => [column, names[column].codes]),
    ...numberColumns.flatMap((column): [string, Numbers][] => {
      const values = numbers[column]
      return values === undefined ? [] : [[`number ${column}`, values]]
    }),
  ]
}

function assembled(
  header: z.infer<typeof headerSchema>,
  arrays: ReadonlyMap<string, Numbers>,
): TableArrays | undefined {
  const { rows } = header
  const get = <Kind extends ArrayType>(name: string, kind: Kind): InstanceType<(typeof types)[Kind]> | undefined => {
    const found = arrays.get(name)
    return found instanceof types[kind] ? (found as InstanceType<(typeof types)[Kind]>) : undefined
  }
  const keys = get('keys', 'Uint8Array')
  const [keyEnds, failed, leftOut] = [
    get('keyEnds', 'Uint32Array'),
    get('failed', 'Uint8Array'),
    get('leftOut', 'Uint8Array'),
  ]
  const cells = get('cells', 'Int16Array')
  const [subject, sequence, code] = namesColumns.map((column) => get(column, 'Uint32Array'))
  if (!keys || !keyEnds || !failed || !leftOut || !cells || !subject || !sequence || !code) return undefined
  const perRow = [keyEnds, failed, leftOut, cells, subject, sequence, code]
  if (perRow.some(({ length }) => length !== rows)) return undefined
  const numbers = numberColumns.flatMap((column) => {
    const values = get(`number ${column}`, 'Float32Array')
    return values === undefined ? [] : [[column, values] as const]
  })
  const names = (column: (typeof namesColumns)[number], codes: Uint32Array) => ({
    names: header.names[column] ?? [],
    codes,
  })
  return {
    rows,
    keys,
    keyEnds,
    failed,
    leftOut,
    cells,
    numbers: Object.fromEntries(numbers),
    names: { subject: names('subject', subject), sequence: names('sequence', sequence), code: names('code', code) },
  }
}

async function readHeader(file: FileHandle): Promise<z.infer<typeof headerSchema>> {
  const start = Buffer.alloc(magic.length + 12)
  if (!(await fill(file, start)) || start.toString('latin1', 0, magic.length) !== magic)
    throw new Error('no table file')
  const length = Number(start.toString('latin1', magic.length))
  const { size } = await file.stat()
  if (!Number.isSafeInteger(length) || length > size) throw new Error('no table file')
  const text = Buffer.alloc(length)
  if (!(await fill(file, text))) throw new Error('truncated table file')
  return headerSchema.parse(JSON.parse(text.toString()))
}

/** False when the file ends before. */
async function fill(file: FileHandle, bytes: Uint8Array): Promise<boolean> {
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, null)
    if (bytesRead === 0) return false
    at += bytesRead
  }
  return true
}

function bytesOf({ buffer, byteOffset, byteLength }: Numbers): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

async function removeOldest(folder: string): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder))
      .filter((name) => /\.(table|tmp)$/.test(name))
      .map(async (name) => {
        const path = join(folder, name)
        const found = await stat(path).catch(() => undefined)
        return { path, bytes: found?.size ?? 0, usedMs: found?.mtimeMs ?? 0 }
      }),
  )
  let total = 0
  for (const { path, bytes } of files.toSorted((a, b) => b.usedMs - a.usedMs)) {
    total += bytes
    if (total > keptBytes) await rm(path, { force: true })
  }
}
