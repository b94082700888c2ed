import type { ResultSet } from '../../output/resultSet.ts'
import { descriptionSchema } from '../../saliency/networks/description.ts'

/** Of what the network saw, and of its maps, pixels. Of a description that this version does not know, what most networks have. */
export function inputSize({ network }: ResultSet): { readonly width: number; readonly height: number } {
  const description = descriptionSchema.safeParse(network.description).data
  return description === undefined
    ? { width: 224, height: 224 }
    : { width: description.input.width, height: description.input.height }
}
