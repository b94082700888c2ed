import { together } from '../../base/together.ts'
import type { Adapter } from '../../dataset/adapter.ts'
import { openAdapter } from '../../dataset/adapters.ts'
import { angleOrder, poseInName } from '../../dataset/posedName.ts'
import { requireImages } from '../../dataset/requireImages.ts'
import type { GivenDescription } from '../../output/givenDescription.ts'
import { prepareResultSet, refuseOverlap } from '../../output/prepareResultSet.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import { RadianHint } from '../../pose/radianHint.ts'
import { checkObjectives } from '../../saliency/objective.ts'
import { openStore } from '../../storage/open.ts'
import { place } from '../../storage/place.ts'
import type { Store } from '../../storage/store.ts'
import type { Call } from '../command.ts'
import { idleSetting } from '../settings/adapterSettings.ts'
import { required } from '../settings/commandFlags.ts'
import type { Settings } from '../settings/optionSchema.ts'
import { resultOptions } from '../settings/resultSetChoices.ts'
import { guidedOptions } from './guidedOptions.ts'
import { announcements, givenNetwork } from './networkFile.ts'
import { whileWaiting } from './waiting.ts'

/** What a call of `run` or `produce` asks for. The caller closes the stores. */
export interface AskedFor {
  readonly dataset: Store
  readonly output: Store
  /** What `--description` says, as far as it was given. */
  readonly described: GivenDescription | undefined
  /** What is to be said of the dataset's index, by who leaves the run to another: otherwise the run does. */
  readonly indexWarnings: readonly string[]
  /** Finds or makes the result set: the first thing that is written. */
  prepare(): Promise<ResultSet>
}

/**
 * Checks all that can be checked without writing: options, network, dataset, and that it holds an image. Raises the
 * InputErrors of whatever is wrong.
 */
export async function askedFor(call: Call, command: string): Promise<AskedFor> {
  const { settings, surroundings, log } = call
  const uris = { dataset: required(settings, 'dataset', command), output: required(settings, 'output', command) }
  const networkPath = required(settings, 'network', command)
  const asked = resultOptions(settings)
  const dataset = openStore(uris.dataset, { endpoint: settings.s3Endpoint, logger: log })
  const output = openStore(uris.output, {
    endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint,
    logger: log,
  })
  try {
    const given = await givenNetwork(call, networkPath)
    const { network, bytes, externalData, described } = given
    const { file, digest, description } = network
    checkObjectives(asked.objectives, network)
    const { options, activations, note } = guidedOptions(asked, network)
    await refuseOverlap(dataset, output)
    const adapter = openAdapter(options.adapter)
    const [, hint] = await together([
      whileWaiting(call, place(dataset.uri), dataset.check('read')),
      hintAtNames(settings, dataset, adapter),
    ])
    const notes = [
      ...(await announcements(given)).map((sentence) => `${file}: ${sentence}`),
      note,
      idleSetting(settings),
      hint,
    ]
    return {
      described,
      indexWarnings: adapter.overview?.().warnings ?? [],
      dataset,
      output,
      prepare: async () => {
        const set = await prepareResultSet({
          dataset,
          output,
          network: { file, bytes, digest, externalData, description, activations },
          options,
          headlightVersion: surroundings.version,
        })
        // Only now that nothing is wrong with the call: one sentence about that shall not drown in others.
        for (const note of notes) if (note !== undefined) log.warn(note)
        return set
      },
    }
  } catch (error) {
    dataset.close()
    output.close()
    throw error
  }
}

/** The dataset of a result set, as it was given when the set was last asked for. */
export function openDataset({ dataset }: ResultSet): Store {
  return openStore(dataset.uri, { endpoint: dataset.endpoint ?? undefined })
}

const namesLookedAt = 20

/**
 * Refuses a dataset without images before anything is written. Gives a hint when names tell poses that nobody reads, or
 * tell them in radians.
 */
async function hintAtNames(settings: Settings, dataset: Store, adapter: Adapter): Promise<string | undefined> {
  const samples = await requireImages(adapter, dataset, namesLookedAt)
  const poses = samples.flatMap(({ key }) => poseInName(key, angleOrder(settings.filenameAngles)) ?? [])
  if (settings.adapter === 'filename') {
    const radians = new RadianHint()
    for (const pose of poses) radians.add(pose)
    return radians.hint()
  }
  if (settings.adapter === 'images' && poses.length === samples.length) {
    return `the file names look as if they told poses (${samples[0]?.key}); --adapter filename would read them as labels`
  }
}
