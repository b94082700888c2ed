import { InputError } from '../../../base/errors.ts'
import { layout } from '../../../output/layout.ts'
import { readResultSets } from '../../../output/resultSet.ts'
import { runIds } from '../../../output/runs.ts'
import { readSummary, type Summary } from '../../../output/summary.ts'
import { atlasOfState } from '../../../producer/backfillAlone.ts'
import { mapCorrelations } from '../../../report/aggregates/mapCorrelations.ts'
import { writeReport } from '../../../report/writeReport.ts'
import { openStore } from '../../../storage/open.ts'
import { place } from '../../../storage/place.ts'
import type { Store } from '../../../storage/store.ts'
import type { Call } from '../../command.ts'
import { openDataset } from '../../shared/askedFor.ts'
import { stopOnSignal } from '../../shared/stopSignals.ts'

/** Writes the report of each result set of an output that has a closed run, and says where. */
export async function writeReports({ operands, settings, surroundings, display, log }: Call): Promise<number> {
  const [uri = ''] = operands
  const stop = stopOnSignal(surroundings, 'the same command writes the reports again', () => display.write('stopping'))
  const output = openStore(uri, { endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint, logger: log })
  try {
    await output.check('read')
    const written: string[] = []
    for await (const { id, set } of readResultSets(output)) {
      const summary = await latestSummary(output, id)
      if (!summary) continue
      const say = (message: string): void => display.write(message)
      const atlas = await atlasOfState({ output, set, signal: stop.signal, say, log })
      // The summary may be of an earlier version, which told of the likeness of the last run's maps alone.
      const likeness = atlas === undefined ? {} : mapCorrelations(atlas.magnitudes)
      const dataset = openDataset(set)
      try {
        await writeReport({ output, dataset, set, summary: { ...summary, ...likeness }, signal: stop.signal, log })
      } finally {
        dataset.close()
      }
      written.push(`${output.uri}${layout.report(id)}`)
    }
    if (written.length === 0) {
      throw new InputError(
        'no-such-run',
        `${output.uri} holds no result set with a finished run; headlight run makes one`,
      )
    }
    const text = settings.json ? JSON.stringify({ reports: written }) : written.map(place).join('\n')
    surroundings.results.write(`${text}\n`)
    return 0
  } finally {
    output.close()
    stop.done()
  }
}

/** Of the newest run that has one: an open run has none yet. */
async function latestSummary(output: Store, set: string): Promise<Summary | undefined> {
  for (const run of (await runIds(output, set)).reverse()) {
    const summary = await readSummary(output, set, run)
    if (summary) return summary
  }
  return undefined
}
