import { poseCell } from '../../pose/poseCell.ts'
import { measureNames } from '../measures.ts'
import type { Selection } from '../selection.ts'
import { rowsContaining } from './keys.ts'
import { measureReader, type NamesColumnName, type TableArrays } from './tableArrays.ts'

/** By row: 0 where it belongs to the selection, else 1. */
export type Misses = Uint8Array

/** `except`: names of this column are not asked, as if the selection chose none. */
export function missesOf(table: TableArrays, selection: Selection, except?: NamesColumnName): Misses {
  const misses = new Uint8Array(table.rows)
  ofRanges(table, selection, misses)
  ofCells(table, selection, misses)
  ofStatus(table, selection, misses)
  if (except !== 'subject') ofNames(table, 'subject', selection.subjects, misses)
  if (except !== 'sequence') ofNames(table, 'sequence', selection.sequences, misses)
  if (except !== 'code') ofNames(table, 'code', selection.codes, misses)
  ofKey(table, selection, misses)
  return misses
}

function ofRanges(table: TableArrays, { ranges }: Selection, misses: Misses): void {
  for (const measure of measureNames) {
    const range = ranges[measure]
    if (range === undefined) continue
    const valueOf = measureReader(table, measure)
    if (valueOf === undefined) {
      misses.fill(1)
      continue
    }
    // In the precision of the column: 0.1 as a float32 is a little more than 0.1.
    const from = range.from === null ? -Infinity : Math.fround(range.from)
    const to = range.to === null ? Infinity : Math.fround(range.to)
    for (let row = 0; row < misses.length; row++) {
      const value = valueOf(row)
      if (!(value >= from && value <= to)) misses[row] = 1
    }
  }
}

function ofCells(table: TableArrays, { cells }: Selection, misses: Misses): void {
  if (cells.length === 0) return
  // Any pose within the cell names it, and its middle is on no border.
  const wanted = new Set(cells.map(({ yaw, pitch }) => poseCell(yaw + 7.5, pitch + 7.5)))
  for (let row = 0; row < misses.length; row++) if (!wanted.has(table.cells[row] ?? -1)) misses[row] = 1
}

function ofStatus(table: TableArrays, { status }: Selection, misses: Misses): void {
  if (status === null) return
  const wanted = status === 'failed' ? 1 : 0
  for (let row = 0; row < misses.length; row++) if (table.failed[row] !== wanted) misses[row] = 1
}

function ofNames(table: TableArrays, column: NamesColumnName, wanted: readonly string[], misses: Misses): void {
  if (wanted.length === 0) return
  const { names, codes } = table.names[column]
  const chosen = new Set(wanted)
  const isWanted = Uint8Array.from(['', ...names], (name) => Number(chosen.has(name)))
  for (let row = 0; row < misses.length; row++) if (isWanted[codes[row] ?? 0] !== 1) misses[row] = 1
}

function ofKey(table: TableArrays, { key }: Selection, misses: Misses): void {
  if (key === '') return
  const contains = new Uint8Array(misses.length)
  rowsContaining(table, key, (row) => (contains[row] = 1))
  for (let row = 0; row < misses.length; row++) if (contains[row] !== 1) misses[row] = 1
}
