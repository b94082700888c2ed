import { InputError } from '../../base/errors.ts'
import type { Tensors } from '../weights/tensors.ts'
import { denseNet } from './densenet.ts'
import type { NetworkFamily, RecognisedNetwork } from './family.ts'

/** Every family that headlight builds. A new one is its own file and a place in this list. */
const families: readonly NetworkFamily[] = [denseNet]

/**
 * The network that the weights make up. InputError `unsupported-network` when no family knows them; it says what the first
 * family in the list misses.
 */
export function recogniseNetwork(weights: Tensors, file: string): RecognisedNetwork {
  let refusal: InputError | undefined
  for (const family of families) {
    try {
      return family.recognise(weights, file)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      refusal ??= error
    }
  }
  throw refusal ?? new Error('no family of networks is listed')
}
