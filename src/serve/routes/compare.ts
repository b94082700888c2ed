import { z } from 'zod'
import { readRun, runIds } from '../../output/runs.ts'
import type { ComparedTable } from '../../report/compare/comparedTable.ts'
import { tableBefore, tableOf, type FoundTable } from '../../report/compare/foundTable.ts'
import { addresses } from '../addresses.ts'
import type { NamedPair } from '../comparisons/comparisonShelf.ts'
import type { Route, Served } from './route.ts'
import { runId } from './runQuery.ts'
import { requireShown } from './shownSet.ts'

/** SET or SET/RUN. */
const operand = z.string().transform((text, context) => {
  const [set = '', run, ...rest] = text.split('/')
  if (set === '' || rest.length > 0 || (run !== undefined && !runId.safeParse(run).success)) {
    context.addIssue({ code: 'custom', message: 'write a result set and perhaps its run, as SET or SET/RUN' })
    return z.NEVER
  }
  return { set, run: run ?? null }
})
type Operand = z.infer<typeof operand>

const query = z.strictObject({ a: operand, b: operand.optional() })
type Query = z.infer<typeof query>

/** Two result sets or runs, compared; without `b` the state of `a` with the state before it. */
export const compareRoute: Route<Query> = {
  path: addresses.pattern.compare,
  query,
  async answer({ query: asked }, served) {
    const reply = await served.comparisons.of(JSON.stringify(asked), () => found(asked, served))
    return 'waiting' in reply ? { kind: 'waiting', ...reply } : { kind: 'json', json: reply }
  },
}

async function found({ a, b }: Query, served: Served): Promise<NamedPair> {
  const first = await tableNamed(a, served)
  return b === undefined
    ? named(await tableBefore(first.table), first, served)
    : named(first, await tableNamed(b, served), served)
}

async function tableNamed({ set, run }: Operand, served: Served): Promise<FoundTable> {
  await requireShown(served, set)
  return tableOf(served.output, await served.setOf(set), run)
}

async function named(a: FoundTable, b: FoundTable, { output }: Served): Promise<NamedPair> {
  const notes = [...a.notes, ...b.notes]
  // Which maps still stand, and what is to be said of a run at work, changes while the two tables stay what they are.
  const name = JSON.stringify([...(await facts(a.table)), ...(await facts(b.table)), notes])
  return {
    name,
    data: { output: output.uri, endpoint: output.endpoint, a: withoutStore(a.table), b: withoutStore(b.table), notes },
  }
}

async function facts({ output, set, run, stateRun }: ComparedTable): Promise<(string | null)[]> {
  const newest = (await runIds(output, set.id)).at(-1)
  const isOpen = newest !== undefined && (await readRun(output, set.id, newest))?.state === 'open'
  return [set.id, run, stateRun, isOpen ? newest : null]
}

function withoutStore({ set, run, stateRun }: ComparedTable): Omit<ComparedTable, 'output'> {
  return { set, run, stateRun }
}
