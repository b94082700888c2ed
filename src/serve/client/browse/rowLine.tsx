import { measures, type Measure } from '../../measures.ts'
import type { RowFacts } from '../../wire.ts'
import { href } from '../navigation.ts'
import type { RowColumn } from './rowColumns.ts'

interface LineProps {
  readonly row: RowFacts
  /** From 1. */
  readonly rank: number
  readonly columns: readonly RowColumn[]
  /** Characters of the longest key. */
  readonly keyWidth: number
  readonly link: string
  readonly isActive: boolean
}

const wide = (characters: number) => ({ width: `${characters}ch` })
const classOf = ({ measure }: RowColumn) => (measure === null ? 'name' : 'number')

/** One image as a line of a table. */
export function RowLine({ row, rank, columns, keyWidth, link, isActive }: LineProps) {
  return (
    <>
      <span role="cell" class="key" style={wide(keyWidth)} data-rank={rank}>
        <a href={href(link)} tabIndex={isActive ? 0 : -1} title={row.key}>
          <bdi>{row.key}</bdi>
        </a>
      </span>
      {columns.map((column) => {
        const text = column.text(row)
        return (
          <span
            key={column.name}
            role="cell"
            class={classOf(column)}
            style={wide(column.width)}
            {...(column.measure === null && text !== null ? { title: text } : {})}
          >
            <bdi>{text}</bdi>
          </span>
        )
      })}
    </>
  )
}

interface HeadProps {
  readonly columns: readonly RowColumn[]
  readonly keyWidth: number
  readonly sort: Measure | 'key'
  readonly isDescending: boolean
  readonly onSort: (measure: Measure | 'key') => void
}

/** The heads of the table, which sort it. */
export function RowHead({ columns, keyWidth, sort, isDescending, onSort }: HeadProps) {
  const head = (name: string, measure: Measure | 'key', className: string, width: number) => (
    <span
      key={name}
      role="columnheader"
      class={className}
      style={wide(width)}
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
      {head('key', 'key', 'key', keyWidth)}
      {columns.map((column) =>
        column.measure === null ? (
          <span key={column.name} role="columnheader" class="name" style={wide(column.width)}>
            {column.name}
          </span>
        ) : (
          head(column.name, column.measure, 'number', column.width)
        ),
      )}
    </div>
  )
}
