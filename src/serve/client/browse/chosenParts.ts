import { cellName } from '../../../report/cellName.ts'
import { measureNames, measures } from '../../measures.ts'
import { everything, type Selection } from '../../selection.ts'

/** A part of a selection. */
export interface ChosenPart {
  readonly text: string
  /** The selection without it. */
  readonly without: Selection
}

/** The parts of a selection, in words, each with what is left when it is taken back. */
export function chosenParts(selection: Selection): ChosenPart[] {
  const { ranges, cells, subjects, sequences, status, codes, key } = selection
  const without = (part: Partial<Selection>): Selection => ({ ...selection, ...part })
  const names = (title: string, chosen: readonly string[], part: 'subjects' | 'sequences' | 'codes'): ChosenPart[] =>
    chosen.map((name) => ({
      text: name === '' ? `without ${title}` : `${title} ${name}`,
      without: without({ [part]: chosen.filter((other) => other !== name) }),
    }))
  return [
    ...measureNames.flatMap((measure): ChosenPart[] => {
      const range = ranges[measure]
      if (range === undefined) return []
      const { name, unit } = measures[measure]
      const { [measure]: _, ...others } = ranges
      return [{ text: `${name} ${rangeText(range.from, range.to, unit)}`, without: without({ ranges: others }) }]
    }),
    ...cells.map((cell) => ({
      text: cellName(cell),
      without: without({ cells: cells.filter((other) => other !== cell) }),
    })),
    ...names('subject', subjects, 'subjects'),
    ...names('sequence', sequences, 'sequences'),
    ...(status === null
      ? []
      : [{ text: status === 'ok' ? 'not failed' : 'failed', without: without({ status: null }) }]),
    ...names('code', codes, 'codes'),
    ...(key === '' ? [] : [{ text: `key contains ${key}`, without: without({ key: '' }) }]),
  ]
}

/** All rows, in the order in which they are. */
export function cleared({ sort, isDescending }: Selection): Selection {
  return { ...everything, sort, isDescending }
}

function rangeText(from: number | null, to: number | null, unit: string): string {
  // Ends of a histogram's bar have nine digits.
  const text = (value: number) => `${String(Number(Number(value.toPrecision(5)).toFixed(5))).replace('-', '−')}${unit}`
  if (from === null) return to === null ? 'any' : `up to ${text(to)}`
  return to === null ? `from ${text(from)}` : `${text(from)} to ${text(to)}`
}
