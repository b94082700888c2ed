import { SampleError } from '../base/errors.ts'
import type { Truth } from './adapter.ts'
import { cellNumber } from './cellNumber.ts'

/** What a cell of an index names as class: its index, or the text that is none; undefined for an empty cell. */
export function classOfCell(cell: unknown): Truth['class'] {
  const value = cellNumber(cell)
  if (value === null) return undefined
  if (Number.isSafeInteger(value) && value >= 0) return value
  return typeof cell === 'string' ? cell.trim() : JSON.stringify(cell)
}

/**
 * The class of a sample for a network with `classes` of them, from 0. SampleError `bad-label` where the index names none,
 * no whole number, or one that the network does not have.
 */
export function requireClass({ class: given }: Truth, classes: number): number {
  const known = `classes are whole numbers from 0 to ${classes - 1}, in the order of the network's output`
  if (given === undefined) {
    throw new SampleError('bad-label', `the index names no class for the image, which class:label needs; ${known}`)
  }
  if (typeof given === 'string') {
    throw new SampleError('bad-label', `the index names the class "${given}", which is no number; ${known}`)
  }
  if (given >= classes) {
    throw new SampleError('bad-label', `the index names class ${given}, which the network does not have; ${known}`)
  }
  return given
}
