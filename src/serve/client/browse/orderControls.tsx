import { isMeasure, measures, type Measure } from '../../measures.ts'
import type { Selection } from '../../selection.ts'

interface OrderControlsProps {
  readonly selection: Pick<Selection, 'sort' | 'isDescending'>
  /** Of which some image has a number. */
  readonly known: readonly Measure[]
  readonly onSort: (sort: Selection['sort'], isDescending: boolean) => void
}

/** By what the images are sorted, and in which order. */
export function OrderControls({ selection: { sort, isDescending }, known, onSort }: OrderControlsProps) {
  return (
    <>
      <label>
        sort by
        <select
          value={sort}
          onChange={({ currentTarget: { value } }) => {
            if (value === 'key' || isMeasure(value)) onSort(value, value !== 'key')
          }}
        >
          <option value="key">key</option>
          {known.map((measure) => (
            <option key={measure} value={measure}>
              {measures[measure].name}
            </option>
          ))}
        </select>
      </label>
      <label>
        order
        <select
          value={isDescending ? 'down' : 'up'}
          onChange={(event) => onSort(sort, event.currentTarget.value === 'down')}
        >
          <option value="down">{sort === 'key' ? 'Z to A' : 'largest first'}</option>
          <option value="up">{sort === 'key' ? 'A to Z' : 'smallest first'}</option>
        </select>
      </label>
    </>
  )
}
