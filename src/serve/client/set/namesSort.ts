import type { Names } from '../../../output/aggregates.ts'
import { biasOf, meanOfAngles } from '../../../report/charts/groupErrors.ts'
import { signedTenth, tenth, whole } from '../../../report/numberText.ts'

export type Group = Names['named'][number]

/** A number of each name, and the parameter's word for it. */
interface Column {
  readonly id: string
  readonly name: string
  readonly value: (group: Group) => number | undefined
  readonly text: (value: number) => string
}

export const columns: readonly Column[] = [
  { id: 'images', name: 'images', value: ({ n }) => n, text: whole },
  { id: 'error', name: 'mean error, °', value: meanOfAngles, text: tenth },
  ...(['yaw', 'pitch', 'roll'] as const).map((angle) => ({
    id: `bias-${angle}`,
    name: `${angle} bias, °`,
    value: (group: Group) => biasOf(group, angle),
    text: signedTenth,
  })),
]

const usual = '-error'

/** By which column names are sorted. */
export interface NamesSort {
  readonly column: Column
  readonly isDescending: boolean
}

/** `-error` unless the parameter says another one; `-` before it: largest first, as for images. */
export function readNamesSort(parameter: string | null): NamesSort {
  const text = parameter ?? usual
  const isDescending = text.startsWith('-')
  const column = columns.find(({ id }) => id === text.slice(isDescending ? 1 : 0))
  return column === undefined ? readNamesSort(null) : { column, isDescending }
}

/** The parameter; null: it is not needed. */
export function writeNamesSort({ column, isDescending }: NamesSort): string | null {
  const text = `${isDescending ? '-' : ''}${column.id}`
  return text === usual ? null : text
}

/** By size, so that a bias counts in either direction. Names without the number come last in either order. */
export function sortedNames(named: readonly Group[], { column, isDescending }: NamesSort): Group[] {
  const size = (group: Group) => {
    const value = column.value(group)
    return value === undefined ? Infinity : Math.abs(value) * (isDescending ? -1 : 1)
  }
  return named.toSorted((a, b) => (size(a) === size(b) ? 0 : size(a) - size(b)))
}
