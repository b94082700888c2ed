import { beyondLabelLimit } from '../../output/rowErrors.ts'
import { rowPose } from '../../output/rowPose.ts'
import { readTableColumns, type Cell, type TableChunk, type TableSource } from '../../output/tableColumns.ts'
import { namesColumns, numberColumns, type NamesColumn, type NumberColumn, type TableArrays } from './tableArrays.ts'

const readNumbers = numberColumns.filter((name) => name !== 'meanError')
const columns = ['key', 'status', 'leftOutOfErrors', ...namesColumns, ...readNumbers]
const errorColumns = ['errorYaw', 'errorPitch', 'errorRoll'] as const

/**
 * Reads an `angles.parquet` into arrays, a row group at a time. `onProgress` is told how many rows of how many are read.
 * Raises what the source raises.
 */
export async function buildTable(
  source: TableSource,
  onProgress: (rows: number, total: number) => void = () => undefined,
): Promise<TableArrays> {
  let building: Building | undefined
  for await (const chunk of readTableColumns(source, columns)) {
    building ??= new Building(chunk.total)
    building.add(chunk)
    onProgress(chunk.from + chunk.rows, chunk.total)
  }
  return (building ?? new Building(0)).finish()
}

class Building {
  readonly #rows: number
  readonly #keys: KeyBlob
  readonly #keyEnds: Uint32Array
  readonly #numbers = new Map<NumberColumn, Float32Array>()
  readonly #names: Readonly<Record<(typeof namesColumns)[number], Names>>
  readonly #failed: Uint8Array
  readonly #leftOut: Uint8Array
  readonly #cells: Int16Array

  constructor(rows: number) {
    this.#rows = rows
    this.#keys = new KeyBlob(rows)
    this.#keyEnds = new Uint32Array(rows)
    this.#names = { subject: new Names(rows), sequence: new Names(rows), code: new Names(rows) }
    this.#failed = new Uint8Array(rows)
    this.#leftOut = new Uint8Array(rows)
    this.#cells = new Int16Array(rows)
  }

  add({ from, rows, cells }: TableChunk): void {
    const column = (name: string) => cells.get(name) ?? []
    const [key, status, left] = [column('key'), column('status'), column('leftOutOfErrors')]
    for (let i = 0; i < rows; i++) {
      this.#keyEnds[from + i] = this.#keys.append(textOf(key[i]))
      if (status[i] === 'failed') this.#failed[from + i] = 1
    }
    for (const name of namesColumns) this.#names[name].add(column(name), from, rows)
    for (const name of readNumbers) this.#addNumbers(name, column(name), from, rows)
    this.#derive(from, rows, left)
  }

  #addNumbers(name: NumberColumn, cells: readonly (Cell | undefined)[], from: number, rows: number): void {
    let values = this.#numbers.get(name)
    for (let i = 0; i < rows; i++) {
      const cell = cells[i]
      if (typeof cell !== 'number') continue
      if (values === undefined) {
        values = new Float32Array(this.#rows).fill(NaN)
        this.#numbers.set(name, values)
      }
      values[from + i] = cell
    }
  }

  /** What follows from the other columns of a row: tables of earlier versions lack some that later ones have. */
  #derive(from: number, rows: number, left: readonly (Cell | undefined)[]): void {
    const number = (name: NumberColumn, row: number): number | null => {
      const value = this.#numbers.get(name)?.[row]
      return value === undefined || Number.isNaN(value) ? null : value
    }
    for (let row = from; row < from + rows; row++) {
      const angles = {
        yaw: number('yaw', row),
        pitch: number('pitch', row),
        roll: number('roll', row),
        labelYaw: number('labelYaw', row),
        labelPitch: number('labelPitch', row),
        labelRoll: number('labelRoll', row),
      }
      const stored = left[row - from]
      if (typeof stored === 'boolean' ? stored : beyondLabelLimit(angles)) this.#leftOut[row] = 1
      this.#cells[row] = rowPose(angles)?.cell ?? -1
      if (this.#leftOut[row] === 1) continue
      let [sum, count] = [0, 0]
      for (const name of errorColumns) {
        const error = number(name, row)
        if (error === null) continue
        sum += Math.abs(error)
        count++
      }
      if (count > 0) this.#put('meanError', row, sum / count)
    }
  }

  #put(name: NumberColumn, row: number, value: number): void {
    let values = this.#numbers.get(name)
    if (values === undefined) this.#numbers.set(name, (values = new Float32Array(this.#rows).fill(NaN)))
    values[row] = value
  }

  finish(): TableArrays {
    return {
      rows: this.#rows,
      keys: this.#keys.finish(),
      keyEnds: this.#keyEnds,
      numbers: Object.fromEntries(this.#numbers),
      names: {
        subject: this.#names.subject.finish(),
        sequence: this.#names.sequence.finish(),
        code: this.#names.code.finish(),
      },
      failed: this.#failed,
      leftOut: this.#leftOut,
      cells: this.#cells,
    }
  }
}

/** Bytes that grow by half: keys are of any length. */
class KeyBlob {
  #bytes: Buffer
  #length = 0

  constructor(rows: number) {
    this.#bytes = Buffer.allocUnsafe(Math.max(1_024, rows * 24))
  }

  /** The end of what was appended. */
  append(text: string): number {
    // Three bytes for a UTF-16 unit at most.
    if (this.#length + text.length * 3 > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.ceil(this.#bytes.length * 1.5) + text.length * 3)
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    this.#length += this.#bytes.write(text, this.#length)
    return this.#length
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length))
  }
}

class Names {
  readonly #codes: Uint32Array
  readonly #places = new Map<string, number>()

  constructor(rows: number) {
    this.#codes = new Uint32Array(rows)
  }

  add(cells: readonly (Cell | undefined)[], from: number, rows: number): void {
    for (let i = 0; i < rows; i++) {
      const cell = cells[i]
      if (typeof cell !== 'string' || cell === '') continue
      let place = this.#places.get(cell)
      if (place === undefined) this.#places.set(cell, (place = this.#places.size + 1))
      this.#codes[from + i] = place
    }
  }

  finish(): NamesColumn {
    return { names: [...this.#places.keys()], codes: this.#codes }
  }
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : ''
}
