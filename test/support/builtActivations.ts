import { activationsBetween, type Activation } from '../../src/saliency/activations.ts'
import type { RecognisedNetwork } from '../../src/saliency/networks/family.ts'
import { make } from '../../src/saliency/ops.ts'

/** The activations of the network that is built for images of this side, in the graph's order. */
export function builtActivations(network: RecognisedNetwork, side: number): Activation[] {
  const shape = [1, network.imageChannels, side, side]
  const image = make('input', [], { name: 'image', shape, dtype: 'float32' })
  return activationsBetween(image, network.build(network.weights, image).values())
}
