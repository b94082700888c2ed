import { isLabelAngle } from '../pose/euler.ts'
import { RadianHint } from '../pose/radianHint.ts'
import { compareKeys } from '../storage/keyOrder.ts'
import type { Truth } from './adapter.ts'
import { cellNumber } from './cellNumber.ts'
import { classOfCell } from './classIndex.ts'
import { faceOf, faceSuffix } from './faceKey.ts'
import { keyBelow } from './indexKey.ts'
import { angleFields, boxFields, IndexSource, type IndexColumns, type IndexRow } from './indexSource.ts'

const numberFields = [...angleFields, ...boxFields]
const nameFields = ['subject', 'sequence', 'frame'] as const

const beyondRange = 'an angle lies beyond ±360°'
/** What earlier versions said, which took ±180° at most. */
const beyondFormerRange = 'an angle lies beyond ±180°'

/** What is wrong with the numbers of a row. */
interface RowFaults {
  readonly label?: string | undefined
  readonly box?: string | undefined
}

/** What an index says of one sample. */
interface IndexedSample {
  readonly key: string
  readonly truth: Truth
  /** What earlier versions read in the same row, where that was something else. */
  readonly formerTruth?: Truth
}

/**
 * What an index says, sorted by key. All of it is held in memory: about 60 bytes a row and the key itself, 150 MB for a
 * million rows.
 */
export class IndexTable {
  readonly #keys: string[] = []
  /** What follows the image's key in the samples'; undefined where a row is an image. */
  readonly #faces: string[] | undefined
  /** Undefined where no column is named for them. */
  readonly #classes: Truth['class'][] | undefined
  readonly #order: Uint32Array
  /** Seven numbers a row, NaN for what is not there. */
  #numbers = new Float64Array(numberFields.length * 1024)
  #lines = new Uint32Array(1024)
  readonly #names = new Map<(typeof nameFields)[number], (string | null)[]>()
  readonly #faults = new Map<number, RowFaults>()
  /** Whether the numbers of some row are read as something else than by earlier versions. */
  #hasNewNumbers = false
  /** Which of the fields earlier versions read, too. */
  readonly #former: { readonly pose: boolean; readonly box: boolean } & Readonly<
    Record<(typeof nameFields)[number], boolean>
  >
  readonly #unread: readonly string[]
  readonly #radians = new RadianHint()

  /**
   * Reads a CSV file with a header, or JSON Lines (recognised by its first brace), in UTF-8. `file` is what to call it in
   * messages. Raises InputError `bad-index` when it is neither, lacks a column, or a row has no key; a row that is wrong
   * in any other way is the fault of its own sample. With `needed`, boxes are all that is asked for, and no label counts.
   */
  constructor(
    bytes: Uint8Array,
    {
      file,
      columns,
      dataset,
      needed = null,
    }: {
      readonly file: string
      readonly columns: IndexColumns
      /** URI of the dataset: keys may be written as paths or URIs below it. */
      readonly dataset: string
      readonly needed?: 'box' | null
    },
  ) {
    const source = new IndexSource(bytes, file, columns)
    if (needed === 'box') source.require(boxFields)
    this.#faces = columns.face === undefined ? undefined : []
    this.#classes = columns.class === undefined ? undefined : []
    this.#unread = source.unread
    this.#former = {
      pose: source.isExact(angleFields),
      box: source.isExact(boxFields),
      subject: source.isExact(['subject']),
      sequence: source.isExact(['sequence']),
      frame: source.isExact(['frame']),
    }
    for (const field of nameFields) if (source.has(field)) this.#names.set(field, [])
    for (const row of source.rows()) this.#add(source, row, dataset, needed)
    const order = Uint32Array.from(this.#keys.keys())
    const suffix = (row: number) => this.#faces?.[row] ?? ''
    this.#order = order.sort(
      (a, b) => compareKeys(this.#keys[a] ?? '', this.#keys[b] ?? '') || compareKeys(suffix(a), suffix(b)) || a - b,
    )
  }

  /** What somebody should know of the file as a whole. */
  get warnings(): string[] {
    const warnings: string[] = []
    const shown = this.#unread.slice(0, 8).map((name) => `"${name}"`)
    const more = this.#unread.length - shown.length
    if (shown.length > 0) {
      const names = `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
      warnings.push(`nothing is read from ${names} of the index; --columns says what columns hold`)
    }
    const hint = this.#radians.hint()
    if (hint !== undefined) warnings.push(hint)
    return warnings
  }

  /** Whether a row may be read as something else than earlier versions read in it. */
  get isReadAnew(): boolean {
    return this.#hasNewNumbers || Object.values(this.#former).includes(false)
  }

  /**
   * The samples of every image after `after` that the index names: images in the order of their keys' bytes, the samples
   * of one in the order of theirs. `after` is a sample's key.
   */
  *images(after?: string): Generator<{ readonly image: string; readonly samples: readonly IndexedSample[] }> {
    for (let at = 0; at < this.#order.length;) {
      const image = this.#keyAt(at)
      const samples: IndexedSample[] = []
      while (at < this.#order.length && this.#keyAt(at) === image) {
        const key = this.#sampleAt(at)
        let next = at + 1
        while (next < this.#order.length && this.#sampleAt(next) === key) next++
        if (after === undefined || compareKeys(key, after) > 0) samples.push(this.#sample(key, at, next))
        at = next
      }
      if (samples.length > 0) yield { image, samples }
    }
  }

  /**
   * The key after which a listing shows every image that `images(after)` names. Where a row is a face, the images of
   * samples after `a.jpg#1` begin with `a.jpg`, which comes before it.
   */
  listedAfter(after: string | undefined): string | undefined {
    if (this.#faces === undefined || after === undefined) return after
    const first = this.#order.findIndex((_, at) => compareKeys(this.#sampleAt(at), after) > 0)
    if (first < 0) return after
    let before = first - 1
    while (before >= 0 && this.#keyAt(before) === this.#keyAt(first)) before--
    return before < 0 ? undefined : this.#keyAt(before)
  }

  #keyAt(at: number): string {
    return this.#keys[this.#order[at] ?? 0] ?? ''
  }

  #sampleAt(at: number): string {
    return this.#keyAt(at) + (this.#faces?.[this.#order[at] ?? 0] ?? '')
  }

  /** What the rows from place `at` to before `next`, which name the same sample, say of it. */
  #sample(key: string, at: number, next: number): IndexedSample {
    const row = this.#order[at] ?? 0
    const truth = this.#truth(row)
    if (!this.#order.subarray(at + 1, next).every((other) => this.#says(other) === this.#says(row))) {
      const what = this.#faces === undefined ? 'image' : 'face'
      const fault = `The index has ${next - at} rows for this ${what} that say different things; leave one of them.`
      return { key, truth: { ...truth, pose: null, box: null, fault, faultOf: 'rows' } }
    }
    const formerTruth = this.#formerTruth(row, truth)
    return formerTruth === undefined ? { key, truth } : { key, truth, formerTruth }
  }

  #add(source: IndexSource, cells: IndexRow, dataset: string, needed: 'box' | null): void {
    const row = this.#keys.length
    const written = source.key(cells)
    this.#keys.push(keyBelow(dataset, written) ?? written)
    const face = source.face(cells)
    if (face !== undefined) this.#faces?.push(faceSuffix(face))
    this.#classes?.push(classOfCell(source.cell('class', cells)))
    if (row === this.#lines.length) {
      this.#numbers = enlarged(this.#numbers, new Float64Array(this.#numbers.length * 2))
      this.#lines = enlarged(this.#lines, new Uint32Array(this.#lines.length * 2))
    }
    const numbers = numberFields.map((field) => cellNumber(source.cell(field, cells)))
    this.#numbers.set(
      numbers.map((value) => value ?? NaN),
      row * numberFields.length,
    )
    this.#lines[row] = cells.line
    const label = needed === 'box' ? undefined : labelFault(numbers.slice(0, angleFields.length))
    const box = boxFault(numbers.slice(angleFields.length), needed)
    if (label !== undefined || box !== undefined) this.#faults.set(row, { label, box })
    const [yaw = null, pitch = null, roll = null] = numbers
    if (label !== undefined) {
      this.#numbers.fill(NaN, row * numberFields.length, row * numberFields.length + angleFields.length)
      if (label === beyondRange || this.#box(row) !== null) this.#hasNewNumbers = true
    } else if (needed === null && yaw !== null && pitch !== null && roll !== null) {
      this.#radians.add({ yaw, pitch, roll })
      if (this.#isBeyondFormerRange(row)) this.#hasNewNumbers = true
    }
    for (const [field, names] of this.#names) names.push(source.text(field, cells))
  }

  #truth(row: number): Truth {
    const { label, box } = this.#faults.get(row) ?? {}
    const fault = this.#sentence(row, box ?? label)
    const face = this.#faces?.[row]
    const classIndex = this.#classes?.[row]
    return {
      pose: fault === undefined ? this.#pose(row) : null,
      box: box === undefined ? this.#box(row) : null,
      ...this.#namesOf(row),
      ...(face === undefined ? {} : { face: faceOf(face) }),
      ...(classIndex === undefined ? {} : { class: classIndex }),
      ...(fault === undefined ? {} : { fault }),
      ...(box === undefined ? {} : { faultOf: 'box' as const }),
    }
  }

  /** Undefined where it is the same. */
  #formerTruth(row: number, truth: Truth): Truth | undefined {
    // With faces or classes there are none.
    if (!this.isReadAnew || this.#faces !== undefined || this.#classes !== undefined) return undefined
    const { label, box } = this.#faults.get(row) ?? {}
    const isBeyond = label === beyondRange || (label === undefined && this.#isBeyondFormerRange(row))
    const formerLabel = this.#former.pose ? (isBeyond ? beyondFormerRange : label) : undefined
    const fault = this.#sentence(row, formerLabel ?? (this.#former.box ? box : undefined))
    const names = this.#namesOf(row)
    for (const field of nameFields) if (!this.#former[field]) names[field] = null
    const former: Truth = {
      pose: fault === undefined && this.#former.pose ? this.#pose(row) : null,
      box: fault === undefined && this.#former.box ? this.#box(row) : null,
      ...names,
      ...(fault === undefined ? {} : { fault }),
    }
    return isSame(former, truth) ? undefined : former
  }

  #sentence(row: number, fault: string | undefined): string | undefined {
    return fault === undefined ? undefined : `Line ${this.#lines[row]} of the index: ${fault}; correct it.`
  }

  #isBeyondFormerRange(row: number): boolean {
    const from = row * numberFields.length
    return this.#numbers.subarray(from, from + angleFields.length).some((degrees) => Math.abs(degrees) > 180)
  }

  #pose(row: number): Truth['pose'] {
    const [yaw = NaN, pitch = NaN, roll = NaN] = this.#numbers.subarray(row * numberFields.length)
    return Number.isNaN(yaw) ? null : { yaw, pitch, roll }
  }

  #box(row: number): Truth['box'] {
    const from = row * numberFields.length + angleFields.length
    const [x0 = NaN, y0 = NaN, x1 = NaN, y1 = NaN] = this.#numbers.subarray(from)
    return Number.isNaN(x0) ? null : { x0, y0, x1, y1 }
  }

  #namesOf(row: number): Record<(typeof nameFields)[number], string | null> {
    const name = (field: (typeof nameFields)[number]) => this.#names.get(field)?.[row] ?? null
    return { subject: name('subject'), sequence: name('sequence'), frame: name('frame') }
  }

  #says(row: number): string {
    return JSON.stringify(this.#truth(row))
  }
}

/** Whether two readings of one row tell the same: its numbers, where both have them, are the row's. */
function isSame(one: Truth, other: Truth): boolean {
  return (
    one.fault === other.fault &&
    (one.pose === null) === (other.pose === null) &&
    (one.box === null) === (other.box === null) &&
    nameFields.every((field) => one[field] === other[field])
  )
}

function enlarged<Numbers extends Float64Array | Uint32Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from)
  return to
}

function labelFault(angles: readonly (number | null)[]): string | undefined {
  const wrong = angleFields.find((_, index) => Number.isNaN(angles[index]))
  if (wrong !== undefined) return `${wrong} is no number`
  const given = angles.filter((angle) => angle !== null)
  if (given.length !== 0 && given.length !== angleFields.length) return 'one of yaw, pitch and roll is missing'
  return given.every(isLabelAngle) ? undefined : beyondRange
}

function boxFault(sides: readonly (number | null)[], needed: 'box' | null): string | undefined {
  const wrong = boxFields.find((_, index) => Number.isNaN(sides[index]))
  if (wrong !== undefined) return `${wrong} is no number`
  const given = sides.filter((side) => side !== null)
  if (given.length !== (needed === 'box' || given.length > 0 ? boxFields.length : 0)) {
    return 'x0, y0, x1 or y1 is missing'
  }
  const [x0, y0, x1, y1] = given
  if (x0 === undefined || y0 === undefined || x1 === undefined || y1 === undefined) return undefined
  return x1 > x0 && y1 > y0 ? undefined : 'its box is empty'
}
