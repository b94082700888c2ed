import { z } from 'zod'
import { layout } from '../../output/layout.ts'
import { mapBounded } from '../../report/mapBounded.ts'
import { readTrend } from '../../report/trend.ts'
import { addresses } from '../addresses.ts'
import type { RunsReply } from '../wire.ts'
import type { Route, Served } from './route.ts'

/** Runs whose tables are looked for at the same time. */
const concurrency = 16

const query = z.strictObject({})

/** The runs of a result set, for a choice among them. */
export const runsRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.runs,
  query,
  async answer({ set }, served) {
    return { kind: 'json', json: { runs: await listedRuns(served, set) } satisfies RunsReply }
  },
}

export async function listedRuns({ output }: Served, set: string): Promise<RunsReply['runs']> {
  return mapBounded(await readTrend(output, set), concurrency, async (each) => ({
    ...each,
    hasTable: (await output.head(layout.runTable(set, each.run))) !== undefined,
  }))
}
