import type { Job } from 'bullmq'
import type { Logger } from '../base/telemetry.ts'
import type { NetworkFile } from '../output/networkFile.ts'
import { prepareResultSet } from '../output/prepareResultSet.ts'
import { digest, type ResultSet } from '../output/resultSet.ts'
import type { RunJob } from '../queue/jobs.ts'
import { countActivations, requireGuided } from '../saliency/guidance.ts'
import { checkObjectives } from '../saliency/objective.ts'
import type { Store } from '../storage/store.ts'

/** Where a schedule's network lies. */
export type FollowedNetwork = NonNullable<RunJob['followNetwork']>

export interface FollowOptions {
  readonly output: Store
  /** The result set that was prepared with the schedule: dataset and options stay its own. */
  readonly set: ResultSet
  readonly readNetwork: (followed: FollowedNetwork) => Promise<NetworkFile>
  readonly headlightVersion: string
  readonly log: Logger
}

/**
 * The result set that a run is for. A run that follows its network is pinned to what it finds: should it be tried again,
 * or go on with another producer, it goes on where it was, though the network may have changed meanwhile.
 */
export async function followedIn(job: Job<RunJob>, asked: RunJob, options: FollowOptions): Promise<ResultSet> {
  const { followNetwork: followed, ...pinned } = asked
  const { set, log } = options
  if (followed === undefined) return set
  const found = await followedSet(followed, options)
  if (found.id !== set.id) {
    log.info(
      { resultSet: found.id, network: followed.uri },
      `${followed.uri} is not what it was when the schedule was added`,
    )
  }
  await job.updateData({ ...pinned, set: found.id })
  return found
}

/**
 * The result set of the network as it lies there now, prepared if it is new. Raises the InputErrors of a network that is
 * gone, broken, or lacks what is to be explained: the schedule's next time reads it again.
 */
async function followedSet(followed: FollowedNetwork, options: FollowOptions): Promise<ResultSet> {
  const { output, set, readNetwork, headlightVersion } = options
  const { network, bytes, externalData } = await readNetwork(followed)
  const { file, description } = network
  const activations = countActivations(network, set.options)
  if (isSameNetwork(network, set.network)) return set
  checkObjectives(set.options.objectives, network)
  requireGuided(activations, set.options, file)
  return prepareResultSet({
    // As it was given, not as this producer reaches it: workers find it by what set.json says.
    dataset: { uri: set.dataset.uri, endpoint: set.dataset.endpoint ?? undefined },
    output,
    network: { file, bytes, digest: network.digest, externalData, description, activations },
    options: set.options,
    headlightVersion,
  })
}

function isSameNetwork(one: ResultSet['network'], other: ResultSet['network']): boolean {
  return (
    one.digest === other.digest &&
    one.externalData?.digest === other.externalData?.digest &&
    digest(one.description) === digest(other.description)
  )
}
