import type { z } from 'zod'
import { addresses } from '../addresses.ts'
import type { Selection } from '../selection.ts'
import type { TableQueries } from '../table/tableQueries.ts'
import type { RowFacts } from '../wire.ts'
import type { Route, Served } from './route.ts'
import { runQuery } from './runQuery.ts'
import { selected } from './selected.ts'

/** Rows that are made into text at a time. */
const chunkRows = 2_000

type Value = string | number | boolean | null

/** Named as in `angles.parquet`; `meanError` and what follows from it are not in it. */
const columns: readonly (readonly [name: string, value: (row: RowFacts) => Value])[] = [
  ['key', ({ key }) => key],
  ['status', ({ status }) => status],
  ['code', ({ code }) => code],
  ['subject', ({ subject }) => subject],
  ['sequence', ({ sequence }) => sequence],
  ...(['Yaw', 'Pitch', 'Roll'] as const).flatMap((angle, i) => [
    [angle.toLowerCase(), ({ estimate }: RowFacts) => estimate[i] ?? null] as const,
    [`label${angle}`, ({ label }: RowFacts) => label[i] ?? null] as const,
    [`error${angle}`, ({ error }: RowFacts) => error[i] ?? null] as const,
    [`${angle.toLowerCase()}TopProbability`, ({ confidence }: RowFacts) => confidence[i] ?? null] as const,
  ]),
  ['meanError', ({ meanError }) => meanError],
  ['errorGeodesic', ({ errorGeodesic }) => errorGeodesic],
  ['leftOutOfErrors', ({ isLeftOutOfErrors }) => isLeftOutOfErrors],
  ['class', (row) => row.class],
  ['topClass', ({ topClass }) => topClass],
  ['topClassProbability', ({ topClassProbability }) => topClassProbability],
]

/** All rows of a selection, in its order, as a file. */
export const csvRoute: Route<z.infer<typeof runQuery>> = {
  path: addresses.pattern.csv,
  query: runQuery,
  takesSelection: true,
  async answer({ set, query: { run: asked }, parameters, signal }, served) {
    const selection = selected(parameters)
    const { run } = await served.runOf(set, asked)
    const table = await readTable(served, set, run, signal)
    return {
      kind: 'file',
      chunks: csvOf(table, selection, signal),
      contentType: 'text/csv; charset=utf-8',
      fileName: `${set}-${run}.csv`,
    }
  },
}

/** A browser would save the answer that it takes a while as the file. */
async function readTable({ tables }: Served, set: string, run: string, signal: AbortSignal): Promise<TableQueries> {
  for (;;) {
    signal.throwIfAborted()
    const table = await tables.of(set, run)
    if (!('waiting' in table)) return table
  }
}

async function* csvOf(table: TableQueries, selection: Selection, signal: AbortSignal): AsyncGenerator<string> {
  yield `${columns.map(([name]) => name).join(',')}\n`
  for (let from = 0; ; from += chunkRows) {
    signal.throwIfAborted()
    const { rows } = await table.page(selection, from, chunkRows)
    if (rows.length === 0) return
    yield rows.map((row) => `${columns.map(([, value]) => cell(value(row))).join(',')}\n`).join('')
  }
}

/**
 * RFC 4180. Text that a spreadsheet would take for a formula is quoted but left as it is: a changed key would no longer find
 * its image.
 */
function cell(value: Value): string {
  if (value === null) return ''
  const text = String(value)
  return /[",\r\n]|^[=+\-@\t]/.test(text) && typeof value === 'string' ? `"${text.replaceAll('"', '""')}"` : text
}
