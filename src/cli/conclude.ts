import type { ResultSet } from '../contract/resultSet.ts'
import type { Summary } from '../contract/run.ts'
import type { Call } from './command.ts'
import { summaryText } from './summaryText.ts'

/** Says how a run ended. Returns the exit code. */
export function conclude({ settings, surroundings, display }: Call, set: ResultSet, summary: Summary): number {
  display.end()
  if (settings.json) surroundings.results.write(`${JSON.stringify(summary)}\n`)
  else if (!settings.quiet) surroundings.results.write(summaryText(summary, set.id))
  return settings.strict && summary.counts.failed > 0 ? 3 : 0
}
