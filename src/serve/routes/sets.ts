import { z } from 'zod'
import { InputError, SampleError } from '../../base/errors.ts'
import { withoutPassword } from '../../base/telemetry.ts'
import { currentRun } from '../../output/current.ts'
import { liveHold } from '../../output/hold.ts'
import { resultSetIds } from '../../output/resultSet.ts'
import { latestRun } from '../../output/runs.ts'
import { readSummary } from '../../output/summary.ts'
import { errorFigures, meanError } from '../../report/errorFigures.ts'
import { mapBounded } from '../../report/mapBounded.ts'
import { place } from '../../storage/place.ts'
import { addresses } from '../addresses.ts'
import type { SetEntry, SetsReply } from '../wire.ts'
import type { Route, Served } from './route.ts'

/** Result sets that are read at the same time. */
const concurrency = 8

const query = z.strictObject({})

/** The result sets of the output. */
export const setsRoute: Route<z.infer<typeof query>> = {
  path: addresses.pattern.sets,
  query,
  async answer(_, served) {
    const { output, onlySet, headlightVersion } = served
    const ids: string[] = []
    if (onlySet !== null) ids.push(onlySet)
    else for await (const id of resultSetIds(output)) ids.push(id)
    const sets = await mapBounded(ids, concurrency, (id) => entryOf(served, id))
    const reply: SetsReply = { output: place(withoutPassword(output.uri)), headlightVersion, sets }
    return { kind: 'json', json: reply }
  },
}

const unknown = {
  network: '',
  dataset: '',
  scope: '',
  objectives: [],
  stateRun: null,
  images: null,
  failed: null,
  meanError: null,
  lastRun: null,
}

/** One set that is damaged hides none of the others. A store that fails says nothing of a set: it is asked again. */
async function entryOf(served: Served, id: string): Promise<SetEntry> {
  const { output } = served
  try {
    const [set, stateRun, latest, hold] = await Promise.all([
      served.setOf(id),
      currentRun(output, id),
      latestRun(output, id),
      liveHold(output, id, new Date()),
    ])
    const summary = latest === undefined ? undefined : await readSummary(output, id, latest.run)
    // An open run has no summary yet; what is shown is then of the state.
    const shown = summary ?? (stateRun === null ? undefined : await readSummary(output, id, stateRun))
    return {
      id,
      network: set.network.file,
      dataset: place(withoutPassword(set.dataset.uri)),
      scope: set.options.scope,
      objectives: set.options.objectives,
      stateRun,
      images: shown?.counts.total ?? null,
      failed: shown?.counts.failed ?? null,
      meanError: meanError((shown && errorFigures(shown)) ?? null),
      lastRun:
        latest === undefined
          ? null
          : {
              run: latest.run,
              state:
                latest.state === 'open' ? (hold?.hold.run === latest.run ? 'running' : 'interrupted') : latest.state,
              closedAt: summary?.closedAt ?? null,
            },
      problem: null,
    }
  } catch (error) {
    const isOfSet = error instanceof InputError || error instanceof SampleError
    if (!isOfSet) throw error
    return { id, ...unknown, problem: error.message }
  }
}
