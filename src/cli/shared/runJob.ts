import { ordinaryPriority } from '../../base/runPriority.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { RunJob } from '../../queue/jobs.ts'
import type { Store } from '../../storage/store.ts'
import type { Settings } from '../settings/optionSchema.ts'

/** A run of a prepared result set, for a standing producer. */
export function runJob(settings: Settings, output: Store, set: ResultSet): RunJob {
  return {
    output: output.uri,
    ...(output.endpoint === undefined ? {} : { endpoint: output.endpoint }),
    set: set.id,
    full: settings.full,
    prune: settings.prune,
    ...(settings.keepRuns === undefined ? {} : { keepRuns: settings.keepRuns }),
    ...(settings.report ? {} : { report: settings.report }),
    shardSize: settings.shardSize ?? null,
    ...(settings.priority === ordinaryPriority ? {} : { priority: settings.priority }),
    ...(settings.webhook === undefined ? {} : { webhook: settings.webhook }),
  }
}
