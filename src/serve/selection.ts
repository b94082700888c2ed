import { poseCellSize } from '../pose/poseCell.ts'
import { isMeasure, measureNames, type Measure } from './measures.ts'

/** Both ends belong to it; null is open. */
export interface Range {
  readonly from: number | null
  readonly to: number | null
}

/** A cell of the grid over yaw and pitch, by its least angles, degrees. */
export interface CellName {
  readonly yaw: number
  readonly pitch: number
}

/** Which rows of a table are meant, and in what order. Rows must fit every part; of a list, one of its members. */
export interface Selection {
  readonly ranges: Readonly<Partial<Record<Measure, Range>>>
  readonly cells: readonly CellName[]
  /** The empty name means rows without one. */
  readonly subjects: readonly string[]
  readonly sequences: readonly string[]
  readonly status: 'ok' | 'failed' | null
  /** Codes of failed rows. */
  readonly codes: readonly string[]
  /** What the key contains; upper and lower case of ASCII letters are alike. Empty: anything. */
  readonly key: string
  readonly sort: Measure | 'key'
  /** Largest first. Rows without the measure come last in either order, and equal ones in order of their keys. */
  readonly isDescending: boolean
}

export const everything: Selection = {
  ranges: {},
  cells: [],
  subjects: [],
  sequences: [],
  status: null,
  codes: [],
  key: '',
  sort: 'key',
  isDescending: false,
}

/** Names of the parameters that `writeSelection` may write, and `readSelection` reads. */
export const selectionParameters: ReadonlySet<string> = new Set([
  ...measureNames,
  'cell',
  'subject',
  'sequence',
  'status',
  'code',
  'key',
  'sort',
])

/** The parameters of a selection in an address. One selection always gives the same ones, in the same order. */
export function writeSelection(selection: Selection): [name: string, value: string][] {
  const { ranges, cells, subjects, sequences, status, codes, key, sort, isDescending } = selection
  const end = (value: number | null) => (value === null ? '' : String(value))
  return [
    ...measureNames.flatMap((measure): [string, string][] => {
      const range = ranges[measure]
      if (range === undefined || (range.from === null && range.to === null)) return []
      return [[measure, `${end(range.from)}..${end(range.to)}`]]
    }),
    ...cells.map(({ yaw, pitch }): [string, string] => ['cell', `${yaw},${pitch}`]),
    ...subjects.map((name): [string, string] => ['subject', name]),
    ...sequences.map((name): [string, string] => ['sequence', name]),
    ...(status === null ? [] : [['status', status] as [string, string]]),
    ...codes.map((code): [string, string] => ['code', code]),
    ...(key === '' ? [] : [['key', key] as [string, string]]),
    ...(sort === 'key' && !isDescending ? [] : [['sort', `${isDescending ? '-' : ''}${sort}`] as [string, string]]),
  ]
}

export interface ReadSelection {
  readonly selection: Selection
  /** One sentence for each parameter that could not be read; it is left out of the selection. */
  readonly problems: readonly string[]
}

/** Reads what `writeSelection` wrote. Parameters with other names are none of its business. */
export function readSelection(parameters: URLSearchParams): ReadSelection {
  const problems: string[] = []
  const ranges: Partial<Record<Measure, Range>> = {}
  for (const measure of measureNames) {
    const text = parameters.get(measure)
    if (text === null) continue
    const range = readRange(text)
    if (range === undefined) problems.push(`${measure}=${text} is no range; write it as 40..60, 40.. or ..60`)
    else ranges[measure] = range
  }
  const cells: CellName[] = []
  for (const text of parameters.getAll('cell')) {
    const [, yaw, pitch] = /^(-?\d+),(-?\d+)$/.exec(text) ?? []
    const cell = { yaw: Number(yaw), pitch: Number(pitch) }
    if (isCell(cell)) cells.push(cell)
    else problems.push(`cell=${text} is no cell; write its least yaw and pitch, multiples of 15, as in 15,-30`)
  }
  const status = parameters.get('status')
  if (status !== null && status !== 'ok' && status !== 'failed')
    problems.push(`status=${status} is neither ok nor failed`)
  const sortText = parameters.get('sort') ?? 'key'
  const sort = sortText.replace(/^-/, '')
  const isKnownSort = sort === 'key' || isMeasure(sort)
  if (!isKnownSort) problems.push(`sort=${sortText}: you can sort by key, ${measureNames.join(', ')}`)
  return {
    selection: {
      ranges,
      cells,
      subjects: parameters.getAll('subject'),
      sequences: parameters.getAll('sequence'),
      status: status === 'ok' || status === 'failed' ? status : null,
      codes: parameters.getAll('code'),
      key: parameters.get('key') ?? '',
      sort: isKnownSort ? sort : 'key',
      isDescending: isKnownSort && sortText.startsWith('-'),
    },
    problems,
  }
}

/** A name that is no cell's own would be taken for the cell around it. */
function isCell({ yaw, pitch }: CellName): boolean {
  return [yaw, pitch].every((angle) => angle % poseCellSize === 0 && angle >= -180 && angle < 180)
}

function readRange(text: string): Range | undefined {
  // With an exponent: JavaScript writes small numbers so.
  const number = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`
  const [, from, to] = new RegExp(`^(${number})?\\.\\.(${number})?$`).exec(text) ?? []
  if (from === undefined && to === undefined) return undefined
  return { from: from === undefined ? null : Number(from), to: to === undefined ? null : Number(to) }
}
