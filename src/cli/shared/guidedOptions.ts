import type { ResultOptions } from '../../output/resultSet.ts'
import { countActivations, requireGuided, type ActivationCount } from '../../saliency/guidance.ts'
import type { Network } from '../../saliency/networks/network.ts'

/** What becomes of a network's activations, and of the options that ask for it. */
interface GuidedOptions {
  readonly options: ResultOptions
  readonly activations: readonly ActivationCount[]
  /** What is to be said of an option that changes nothing. */
  readonly note: string | undefined
}

/**
 * Raises InputError `nothing-to-guide`. `--relu6 plain` that changes nothing is taken out: a result set is called by its
 * options, and equal maps would be computed again under another name.
 */
export function guidedOptions(asked: ResultOptions, network: Network): GuidedOptions {
  const activations = countActivations(network, asked)
  requireGuided(activations, asked, network.file)
  const { relu6, ...others } = asked
  if (relu6 === undefined || guidedOf(countActivations(network, others)) !== guidedOf(activations)) {
    return { options: asked, activations, note: undefined }
  }
  const why =
    asked.scope === 'none' ? '--scope none guides nothing' : `--scope ${asked.scope} guides no ReLU6 of ${network.file}`
  return { options: others, activations, note: `--relu6 plain changes nothing here: ${why}` }
}

function guidedOf(counts: readonly ActivationCount[]): string {
  return counts.map(({ kind, guided }) => `${guided} ${kind}`).join()
}
