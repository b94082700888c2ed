import type { OpenExecutor } from '../../src/saliency/engines/engine.ts'
import type { Node } from '../../src/saliency/graph.ts'
import { constant, make } from '../../src/saliency/ops.ts'

/** Of float32, but not of TF32, whose ten bits of mantissa round it to one. */
const value = 1 + 2 ** -12
/** As far from a float32 result as TF32 would be. */
export const tf32Error = 2 ** -12

/**
 * How far products are off that float32 has exactly and TF32 does not: 0 with float32, 2⁻¹² with TF32. Both kinds of
 * product that a network is made of, of a size for which the libraries choose their fast kernels.
 */
export async function productRounding(open: OpenExecutor): Promise<{ matmul: number; conv: number }> {
  const side = 256
  const rows = make('input', [], { name: 'x', shape: [side, side], dtype: 'float32' })
  const identity = Float32Array.from({ length: side * side }, (_, i) => (i % (side + 1) === 0 ? 1 : 0))
  const matmul = make('matmul', [rows, constant(identity, [side, side])], { transposeB: false })

  const channels = 64
  const shape = [4, channels, 28, 28]
  const image = make('input', [], { name: 'x', shape, dtype: 'float32' })
  // Only the middle of each kernel passes its own channel on.
  const weights = Float32Array.from({ length: channels * channels * 9 }, (_, i) => {
    const [out, into] = [Math.floor(i / 9 / channels), Math.floor(i / 9) % channels]
    return i % 9 === 4 && out === into ? 1 : 0
  })
  const conv = make('conv', [image, constant(weights, [channels, channels, 3, 3])], {
    strides: [1, 1],
    pads: [1, 1, 1, 1],
    groups: 1,
  })
  return { matmul: await largestError(open, matmul, side * side), conv: await largestError(open, conv, 4 * 64 * 784) }
}

async function largestError(open: OpenExecutor, node: Node, length: number): Promise<number> {
  const executor = await open({ outputs: new Map([['y', node]]) }, { intraOpThreads: 1 })
  try {
    const results = await executor.run(new Map([['x', new Float32Array(length).fill(value)]]))
    return [...(results.get('y') ?? [NaN])].reduce((worst, y) => Math.max(worst, Math.abs(y - value)), 0)
  } finally {
    await executor.dispose()
  }
}
