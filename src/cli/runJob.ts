import type { Settings } from '../config.ts'
import type { RunJob } from '../contract/job.ts'
import type { ResultSet } from '../contract/resultSet.ts'
import type { Store } from '../storage/store.ts'

/** A run of a prepared result set, for a standing producer. */
export function runJob(settings: Settings, output: Store, set: ResultSet): RunJob {
  return {
    output: output.uri,
    ...(output.endpoint === undefined ? {} : { endpoint: output.endpoint }),
    set: set.id,
    full: settings.full,
    prune: settings.prune,
    shardSize: settings.shardSize ?? null,
    ...(settings.webhook === undefined ? {} : { webhook: settings.webhook }),
  }
}
