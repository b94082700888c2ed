import type { z } from 'zod'
import { addresses } from '../addresses.ts'
import type { FacetsReply } from '../wire.ts'
import type { Route } from './route.ts'
import { runQuery } from './runQuery.ts'
import { selected } from './selected.ts'

/** What a selection can be narrowed by, and what it amounts to. */
export const facetsRoute: Route<z.infer<typeof runQuery>> = {
  path: addresses.pattern.facets,
  query: runQuery,
  takesSelection: true,
  async answer({ set, query: { run: asked }, parameters }, served) {
    const selection = selected(parameters)
    const [{ run, stateRun }, { options }] = await Promise.all([served.runOf(set, asked), served.setOf(set)])
    const table = await served.tables.of(set, run)
    if ('waiting' in table) return { kind: 'waiting', ...table }
    const facets = await table.facets(selection)
    return { kind: 'json', json: { run, stateRun, objectives: options.objectives, ...facets } satisfies FacetsReply }
  },
}
