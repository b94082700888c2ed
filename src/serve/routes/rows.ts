import { z } from 'zod'
import { addresses } from '../addresses.ts'
import type { RowsReply } from '../wire.ts'
import type { Route } from './route.ts'
import { runId } from './runQuery.ts'
import { selected } from './selected.ts'

/** Of one answer: several screens full. */
const mostRows = 500

const query = z.strictObject({
  run: runId.optional(),
  from: z.coerce.number().int().nonnegative().default(0),
  count: z.coerce.number().int().min(1).max(mostRows).default(60),
})

/** Some rows of a selection. */
export const rowsRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.rows,
  query,
  takesSelection: true,
  async answer({ set, query: { run: asked, from, count }, parameters }, served) {
    const selection = selected(parameters)
    const { run, stateRun } = await served.runOf(set, asked)
    const table = await served.tables.of(set, run)
    if ('waiting' in table) return { kind: 'waiting', ...table }
    const page = await table.page(selection, from, count)
    return { kind: 'json', json: { run, stateRun, total: table.total, from, ...page } satisfies RowsReply }
  },
}
