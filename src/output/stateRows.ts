import { InputError } from '../base/errors.ts'
import { slicedObject } from '../storage/slicedObject.ts'
import type { Store } from '../storage/store.ts'
import { layout } from './layout.ts'
import { readTable, type TableRow } from './table.ts'

/**
 * The table that a run left, sorted by key: the state to start from. `base` null is the state before the first run,
 * without rows. A row group is read at a time, and of it only the columns asked for. InputError `bad-layout` when the
 * table is gone.
 */
export function stateRows(output: Store, set: string, base: string | null): AsyncGenerator<TableRow>
export function stateRows<Name extends string>(
  output: Store,
  set: string,
  base: string | null,
  columns: readonly Name[],
): AsyncGenerator<Pick<TableRow, Name>>
export async function* stateRows(
  output: Store,
  set: string,
  base: string | null,
  columns?: readonly string[],
): AsyncGenerator<TableRow> {
  if (base === null) return
  const key = layout.runTable(set, base)
  const table = await slicedObject(output, key)
  if (table === undefined) {
    const message = `${output.uri}${key} is gone, which is the state of ${set}; restore it, or choose another output`
    throw new InputError('bad-layout', message)
  }
  yield* readTable(table, columns)
}
