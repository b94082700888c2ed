import type { ResultSet } from '../output/resultSet.ts'
import type { ShardJob } from '../queue/jobs.ts'
import { openStore } from '../storage/open.ts'
import type { Store } from '../storage/store.ts'

/**
 * Take the place of the S3 endpoints that stand in jobs and result sets: the same service may have another address where
 * the worker is. Null: the one that stands there.
 */
export interface EndpointOverrides {
  readonly dataset: string | null
  readonly output: string | null
}

/**
 * Tells outputs apart, and what is kept for one of them: two services may have buckets of one name, and a job may name
 * another service for a run that is known already.
 */
export const outputName = ({ output, endpoint }: Pick<ShardJob, 'output' | 'endpoint'>): string =>
  endpoint === undefined ? output : `${output} at ${endpoint}`

export function openOutput(job: Pick<ShardJob, 'output' | 'endpoint'>, overrides: EndpointOverrides): Store {
  return openStore(job.output, { endpoint: overrides.output ?? job.endpoint })
}

export function openDataset({ dataset }: Pick<ResultSet, 'dataset'>, overrides: EndpointOverrides): Store {
  return openStore(dataset.uri, { endpoint: overrides.dataset ?? dataset.endpoint ?? undefined })
}
