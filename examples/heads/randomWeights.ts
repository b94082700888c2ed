import type { Network } from '../../src/saliency/networks/network.ts'
import type { Random } from './random.ts'

/**
 * The same network before any training: convolutions and heads drawn afresh with variance 2 / inputs, batch norms that
 * change nothing. A map that looks the same with these weights does not come from what was learned.
 */
export function withRandomWeights(network: Network, random: Random): Network {
  const weights = new Map(
    [...network.weights].map(([name, { shape, data }]) => {
      const inputs = shape.slice(1).reduce((product, size) => product * size, 1)
      const spread = Math.sqrt(2 / inputs)
      const value = () => {
        if (shape.length > 1) return spread * random.bell()
        return name.endsWith('.weight') || name.endsWith('.running_var') ? 1 : 0
      }
      return [name, { shape, data: Float32Array.from(data, value) }] as const
    }),
  )
  return { ...network, weights }
}
