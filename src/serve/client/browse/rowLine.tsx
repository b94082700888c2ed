import { measures, type Measure } from '../../measures.ts'
import type { Facets, RowFacts } from '../../wire.ts'
import { href } from '../navigation.ts'
import { angleText, errorText } from './rowNumbers.tsx'

/** A column of the table; `measure` is what a click on its head sorts by. */
interface Column {
  readonly name: string
  readonly measure: Measure
  readonly text: (row: RowFacts) => string
}

const angle = (index: number, of: 'estimate' | 'label' | 'error') => (row: RowFacts) =>
  of === 'error' ? errorText(row.error[index] ?? null) : angleText(row[of][index] ?? null)
const share = (value: number | null) => (value === null ? '–' : value.toFixed(2))

const columns: readonly Column[] = [
  { name: 'mean error', measure: 'meanError', text: ({ meanError }) => angleText(meanError) },
  { name: 'yaw error', measure: 'absErrorYaw', text: angle(0, 'error') },
  { name: 'pitch error', measure: 'absErrorPitch', text: angle(1, 'error') },
  { name: 'roll error', measure: 'absErrorRoll', text: angle(2, 'error') },
  { name: 'yaw', measure: 'yaw', text: angle(0, 'estimate') },
  { name: 'pitch', measure: 'pitch', text: angle(1, 'estimate') },
  { name: 'roll', measure: 'roll', text: angle(2, 'estimate') },
  { name: 'label yaw', measure: 'labelYaw', text: angle(0, 'label') },
  { name: 'label pitch', measure: 'labelPitch', text: angle(1, 'label') },
  { name: 'label roll', measure: 'labelRoll', text: angle(2, 'label') },
  { name: 'confidence', measure: 'yawTopProbability', text: ({ confidence }) => share(confidence[0]) },
  { name: 'class', measure: 'class', text: (row) => (row.class === null ? '–' : String(row.class)) },
  {
    name: 'likeliest class',
    measure: 'topClass',
    text: ({ topClass }) => (topClass === null ? '–' : String(topClass)),
  },
  {
    name: 'probability',
    measure: 'topClassProbability',
    text: ({ topClassProbability }) => share(topClassProbability),
  },
]

/** Columns of text beside the key. */
const nameColumns = [
  { name: 'subject', of: 'subjects', text: ({ subject }: RowFacts) => subject },
  { name: 'sequence', of: 'sequences', text: ({ sequence }: RowFacts) => sequence },
  { name: 'failed', of: 'codes', text: ({ code }: RowFacts) => code },
] as const

export interface Columns {
  readonly names: readonly (typeof nameColumns)[number][]
  readonly numbers: readonly Column[]
}

/** The columns of which some row has a name or a number. */
export function columnsOf(facets: Facets): Columns {
  const known = facets.measures.map(({ measure }) => measure)
  return {
    names: nameColumns.filter(({ of }) => facets[of].named.length > 0),
    numbers: columns.filter(({ measure }) => known.includes(measure)),
  }
}

interface LineProps {
  readonly row: RowFacts
  readonly columns: Columns
  readonly link: string
  readonly isActive: boolean
}

/** One image as a line of a table. */
export function RowLine({ row, columns: { names, numbers }, link, isActive }: LineProps) {
  return (
    <>
      <span role="cell" class="key">
        <a href={href(link)} tabIndex={isActive ? 0 : -1} title={row.key}>
          <bdi>{row.key}</bdi>
        </a>
      </span>
      {names.map(({ name, text }) => (
        <span key={name} role="cell" class="name">
          <bdi>{text(row)}</bdi>
        </span>
      ))}
      {numbers.map(({ name, text }) => (
        <span key={name} role="cell" class="number">
          {text(row)}
        </span>
      ))}
    </>
  )
}

interface HeadProps {
  readonly columns: Columns
  readonly sort: Measure | 'key'
  readonly isDescending: boolean
  readonly onSort: (measure: Measure | 'key') => void
}

/** The heads of the table, which sort it. */
export function RowHead({ columns: { names, numbers }, sort, isDescending, onSort }: HeadProps) {
  const head = (name: string, measure: Measure | 'key', className: string) => (
    <span
      key={name}
      role="columnheader"
      class={className}
      {...(sort === measure ? { 'aria-sort': isDescending ? 'descending' : 'ascending' } : {})}
      title={measure === 'key' ? undefined : `sort by ${measures[measure].name}`}
    >
      <button type="button" onClick={() => onSort(measure)}>
        {name}
        {sort === measure ? (isDescending ? ' ↓' : ' ↑') : ''}
      </button>
    </span>
  )
  return (
    <div class="head" role="row" aria-rowindex={1}>
      {head('key', 'key', 'key')}
      {names.map(({ name }) => (
        <span key={name} role="columnheader" class="name">
          {name}
        </span>
      ))}
      {numbers.map(({ name, measure }) => head(name, measure, 'number'))}
    </div>
  )
}
