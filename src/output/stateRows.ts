import { InputError } from '../base/errors.ts'
import { slicedObject } from '../storage/slicedObject.ts'
import type { Store } from '../storage/store.ts'
import { currentRun } from './current.ts'
import { layout } from './layout.ts'
import { readRun, whereRunRemoved } from './runs.ts'
import { readTable, type TableRow } from './table.ts'

/**
 * The table that a run left, sorted by key: the state to start from. `base` null is the state before the first run,
 * without rows. A row group is read at a time, and of it only the columns asked for. InputError `bad-layout` when there
 * is no table: it is gone, `--keep-runs` removed it, or the run changed nothing.
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
  const table = await slicedObject(output, key, whereRunRemoved)
  if (table === undefined) throw new InputError('bad-layout', await whyNoTable(output, set, base))
  yield* readTable(table, columns)
}

async function whyNoTable(output: Store, set: string, run: string): Promise<string> {
  const [found, state] = await Promise.all([readRun(output, set, run), currentRun(output, set)])
  if (found?.counts && run !== state) {
    const place = `${output.uri}${set}/runs/${run}`
    const { computed, gone } = found.counts
    return computed + gone === 0
      ? `${place} has no table of its own: the run changed nothing; name the run before it`
      : `${place} has no table any more: --keep-runs removed it; name a newer run`
  }
  return `${output.uri}${layout.runTable(set, run)} is gone, which is the state of ${set}; restore it, or choose another output`
}
