import type { ResultOptions } from '../../output/resultSet.ts'
import { countActivations, requireGuided, type ActivationCount, type Guidance } from '../../saliency/guidance.ts'
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
  const note = uselessRelu6(asked, activations, network)
  const { relu6: _relu6, ...others } = asked
  return { options: note === undefined ? asked : others, activations, note }
}

/** What is to be said of `--relu6 plain` where it changes nothing. `activations` are counted as it asks. */
export function uselessRelu6(
  { scope, relu6 = 'guided' }: Guidance,
  activations: readonly ActivationCount[],
  network: Network,
): string | undefined {
  if (relu6 === 'guided' || guidedOf(countActivations(network, { scope })) !== guidedOf(activations)) return undefined
  const why = scope === 'none' ? '--scope none guides nothing' : `--scope ${scope} guides no ReLU6 of ${network.file}`
  return `--relu6 plain changes nothing here: ${why}`
}

function guidedOf(counts: readonly ActivationCount[]): string {
  return counts.map(({ kind, guided }) => `${guided} ${kind}`).join()
}
