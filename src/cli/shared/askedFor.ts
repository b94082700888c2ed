import { openAdapter } from '../../dataset/adapters.ts'
import { angleOrder, poseInName } from '../../dataset/posedName.ts'
import { requireImages } from '../../dataset/requireImages.ts'
import { prepareResultSet, refuseOverlap } from '../../output/prepareResultSet.ts'
import type { ResultOptions, ResultSet } from '../../output/resultSet.ts'
import { checkObjectives } from '../../saliency/objective.ts'
import { openStore } from '../../storage/open.ts'
import { place } from '../../storage/place.ts'
import type { Store } from '../../storage/store.ts'
import type { Call } from '../command.ts'
import { required } from '../settings/commandFlags.ts'
import type { Settings } from '../settings/optionSchema.ts'
import { resultOptions } from '../settings/resultSetChoices.ts'
import { announcement, readNetworkFile } from './networkFile.ts'
import { whileWaiting } from './waiting.ts'

/** What a call of `run` or `produce` asks for. The caller closes the stores. */
export interface AskedFor {
  readonly dataset: Store
  readonly output: Store
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
  const options = resultOptions(settings)
  const dataset = openStore(uris.dataset, { endpoint: settings.s3Endpoint, logger: log })
  const output = openStore(uris.output, {
    endpoint: settings.outputS3Endpoint ?? settings.s3Endpoint,
    logger: log,
  })
  try {
    const { network, bytes } = await readNetworkFile(networkPath)
    const { file, digest, description } = network
    checkObjectives(options.objectives, description.heads)
    await refuseOverlap(dataset, output)
    await whileWaiting(call, place(dataset.uri), dataset.check('read'))
    const notes = [announcement(network), await hintAtNames(settings, dataset, options)]
    return {
      dataset,
      output,
      prepare: async () => {
        const set = await prepareResultSet({
          dataset,
          output,
          network: { file, bytes, digest, description },
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

/** Refuses a dataset without images before anything is written. Gives a hint when names tell poses that nobody reads. */
async function hintAtNames(settings: Settings, dataset: Store, options: ResultOptions): Promise<string | undefined> {
  const samples = await requireImages(openAdapter(options.adapter), dataset, namesLookedAt)
  if (
    settings.adapter === 'images' &&
    samples.every(({ key }) => poseInName(key, angleOrder(settings.filenameAngles)) !== null)
  ) {
    return `the file names look as if they told poses (${samples[0]?.key}); --adapter filename would read them as labels`
  }
}
