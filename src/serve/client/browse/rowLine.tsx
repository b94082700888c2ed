import { measures, type Measure } from '../../measures.ts'
import type { RowFacts } from '../../wire.ts'
import { href } from '../navigation.ts'
import { angleText, errorText } from './rowNumbers.tsx'

/** A column of the table; `measure` is what a click on its head sorts by. */
interface Column {
  readonly name: string
  readonly measure: Measure | 'key' | null
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

/** The columns of which some row has a number. */
export function columnsWith(known: readonly Measure[]): readonly Column[] {
  return columns.filter(({ measure }) => measure !== null && measure !== 'key' && known.includes(measure))
}

interface LineProps {
  readonly row: RowFacts
  readonly columns: readonly Column[]
  readonly link: string
  readonly isActive: boolean
}

/** One image as a line of a table. */
export function RowLine({ row, columns: shown, link, isActive }: LineProps) {
  return (
    <>
      <span role="cell" class="key">
        <a href={href(link)} tabIndex={isActive ? 0 : -1} title={row.key}>
          <bdi>{row.key}</bdi>
        </a>
      </span>
      <span role="cell" class="name">
        <bdi>{row.status === 'failed' ? `failed: ${row.code ?? ''}` : (row.subject ?? row.sequence ?? '')}</bdi>
      </span>
      {shown.map(({ name, text }) => (
        <span key={name} role="cell" class="number">
          {text(row)}
        </span>
      ))}
    </>
  )
}

interface HeadProps {
  readonly columns: readonly Column[]
  readonly sort: Measure | 'key'
  readonly isDescending: boolean
  readonly onSort: (measure: Measure | 'key') => void
}

/** The heads of the table, which sort it. */
export function RowHead({ columns: shown, sort, isDescending, onSort }: HeadProps) {
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
      <span role="columnheader" class="name">
        subject
      </span>
      {shown.map(({ name, measure }) => (measure === null ? null : head(name, measure, 'number')))}
    </div>
  )
}
