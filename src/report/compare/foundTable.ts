import { InputError } from '../../base/errors.ts'
import { currentRun } from '../../output/current.ts'
import { layout } from '../../output/layout.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import { readRun, runIds, type Run } from '../../output/runs.ts'
import type { Store } from '../../storage/store.ts'
import type { ComparedTable } from './comparedTable.ts'

/** A table, and what is to be said of how it was found. */
export interface FoundTable {
  readonly table: ComparedTable
  readonly notes: readonly string[]
}

/**
 * The table of a result set: its state, or what was the state when a run had ended. InputError `no-such-run` when there is
 * none, or no longer.
 *
 * @param run null: the state now
 */
export async function tableOf(output: Store, set: ResultSet, run: string | null): Promise<FoundTable> {
  const stateRun = await currentRun(output, set.id)
  if (run === null) return { table: { output, set, run: stateOf(output, set, stateRun), stateRun }, notes: [] }
  const { state, counts, base } = await requireRun(output, set, run)
  if (state === 'open') throw noSuchRun(`run ${run} of ${output.uri}${set.id}/ is not finished, so it has no table yet`)
  if (await hasTable(output, set, run)) return { table: { output, set, run, stateRun }, notes: [] }
  const changedNothing = counts !== null && counts.computed === 0 && counts.gone === 0
  if (!changedNothing || base === null) throw await removed(output, set, run)
  if (!(await hasTable(output, set, base))) throw await removed(output, set, base)
  const note = `Run ${run} changed nothing, so that its state is that of run ${base}.`
  return { table: { output, set, run: base, stateRun }, notes: [note] }
}

/** The newest table of the same result set that is older than this one. InputError `no-such-run` when there is none. */
export async function tableBefore({ output, set, run, stateRun }: ComparedTable): Promise<FoundTable> {
  const earlier = (await runIds(output, set.id)).filter((id) => id < run).reverse()
  for (const id of earlier) {
    if (await hasTable(output, set, id)) return { table: { output, set, run: id, stateRun }, notes: [] }
  }
  const message =
    earlier.length === 0
      ? `${output.uri}${set.id}/ has one run that changed anything, so there is no state before it; name what to compare it with`
      : `no run of ${output.uri}${set.id}/ before ${run} has a table; --keep-runs removes older ones, so name what to compare it with`
  throw noSuchRun(message)
}

function stateOf(output: Store, set: ResultSet, stateRun: string | null): string {
  if (stateRun !== null) return stateRun
  throw noSuchRun(`${output.uri}${set.id}/ has no finished run; headlight run makes one`)
}

async function requireRun(output: Store, set: ResultSet, run: string): Promise<Run> {
  const present = await readRun(output, set.id, run)
  if (present !== undefined) return present
  throw noSuchRun(`${output.uri}${set.id}/ holds no run ${run}; it has tables of ${await runsWithTables(output, set)}`)
}

async function removed(output: Store, set: ResultSet, run: string): Promise<InputError> {
  const message = `the table of run ${run} is no longer in ${output.uri}${set.id}/; --keep-runs removes those of older runs. It has tables of ${await runsWithTables(output, set)}`
  return noSuchRun(message)
}

async function runsWithTables(output: Store, set: ResultSet): Promise<string> {
  const known: string[] = []
  for (const id of (await runIds(output, set.id)).reverse()) {
    if (known.length === told) return `${known.join(', ')} and perhaps of older ones`
    if (await hasTable(output, set, id)) known.push(id)
  }
  return known.length === 0 ? 'none' : known.join(', ')
}
const told = 5

async function hasTable(output: Store, set: ResultSet, run: string): Promise<boolean> {
  return (await output.head(layout.runTable(set.id, run))) !== undefined
}

const noSuchRun = (message: string): InputError => new InputError('no-such-run', message)
