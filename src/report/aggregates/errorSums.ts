import type { AngleErrors, Group } from '../../output/aggregates.ts'
import { errorBinCount } from './errorBins.ts'
import { errorKinds, noBin, unitsPerDegree, type ErrorKind, type MeasuredRow } from './measuredRow.ts'

const kinds = errorKinds.length
/** Of each kind, Σ|error| and Σerror. */
const sumsOfGroup = 2 * kinds
const binsOfGroup = kinds * errorBinCount

/** Errors of any number of groups of rows, 600 bytes each: objects in their place would take ten times that. */
export class ErrorSums {
  #groups = 0
  #rows = new Uint32Array(1)
  #sums = new Float64Array(sumsOfGroup)
  #counts = new Uint32Array(binsOfGroup)

  /** The number of a new group. */
  open(): number {
    if (this.#groups === this.#rows.length) {
      this.#rows = doubled(this.#rows, Uint32Array)
      this.#sums = doubled(this.#sums, Float64Array)
      this.#counts = doubled(this.#counts, Uint32Array)
    }
    return this.#groups++
  }

  add(group: number, row: MeasuredRow): void {
    this.#rows[group] = (this.#rows[group] ?? 0) + 1
    for (let kind = 0; kind < kinds; kind++) this.#addError(group, kind, row)
  }

  /** Counts the row with its error of one kind alone. */
  addKind(group: number, kind: ErrorKind, row: MeasuredRow): void {
    this.#rows[group] = (this.#rows[group] ?? 0) + 1
    this.#addError(group, errorKinds.indexOf(kind), row)
  }

  /** Adds all that one group has to another. */
  pool(from: number, into: number): void {
    this.#rows[into] = (this.#rows[into] ?? 0) + this.rows(from)
    addPart(this.#sums, sumsOfGroup, from, into)
    addPart(this.#counts, binsOfGroup, from, into)
  }

  /** How many rows a group has, with and without an error. */
  rows(group: number): number {
    return this.#rows[group] ?? 0
  }

  group(group: number): Group {
    const errors: Group['errors'] = {}
    for (const kind of errorKinds) {
      const found = this.errors(group, kind)
      if (found.n === 0) continue
      if (kind === 'geodesic')
        errors.geodesic = { n: found.n, absoluteSum: found.absoluteSum, histogram: found.histogram }
      else errors[kind] = found
    }
    return { n: this.rows(group), errors }
  }

  errors(group: number, kind: ErrorKind): AngleErrors {
    const at = errorKinds.indexOf(kind)
    const histogram: [number, number][] = []
    let n = 0
    for (let bin = 0; bin < errorBinCount; bin++) {
      const count = this.#counts[group * binsOfGroup + at * errorBinCount + bin] ?? 0
      if (count === 0) continue
      n += count
      histogram.push([bin, count])
    }
    const sums = group * sumsOfGroup + 2 * at
    return {
      n,
      absoluteSum: (this.#sums[sums] ?? 0) / unitsPerDegree,
      signedSum: (this.#sums[sums + 1] ?? 0) / unitsPerDegree,
      histogram,
    }
  }

  #addError(group: number, kind: number, row: MeasuredRow): void {
    const bin = row.bins[kind] ?? noBin
    if (bin === noBin) return
    const count = group * binsOfGroup + kind * errorBinCount + bin
    this.#counts[count] = (this.#counts[count] ?? 0) + 1
    const sum = group * sumsOfGroup + 2 * kind
    const error = row.units[kind] ?? 0
    this.#sums[sum] = (this.#sums[sum] ?? 0) + Math.abs(error)
    this.#sums[sum + 1] = (this.#sums[sum + 1] ?? 0) + error
  }
}

function addPart(values: Float64Array | Uint32Array, size: number, from: number, into: number): void {
  for (let i = 0; i < size; i++) {
    const at = into * size + i
    values[at] = (values[at] ?? 0) + (values[from * size + i] ?? 0)
  }
}

function doubled<Values extends Uint32Array | Float64Array>(
  values: Values,
  Kind: new (length: number) => Values,
): Values {
  const larger = new Kind(2 * values.length)
  larger.set(values)
  return larger
}
