import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../../../src/saliency/backward.ts'
import type { Relu6Rule } from '../../../../src/saliency/choices.ts'
import { decodeHeads } from '../../../../src/saliency/decode.ts'
import { findEngine } from '../../../../src/saliency/engines/openEngine.ts'
import { loadNetwork } from '../../../../src/saliency/networks/load.ts'
import { make } from '../../../../src/saliency/ops.ts'
import { simplifyGradient } from '../../../../src/saliency/simplify.ts'
import { readNumpyArrays } from '../../../../src/saliency/weights/numpyArrays.ts'

// Guided maps that Captum made of two real networks, which are not part of the repository. It guides every ReLU, and leaves
// the ReLU6 of a hard-swish alone.
const real = new URL('../../../../../shared/real/', import.meta.url)

const angles = ['yaw', 'pitch', 'roll'] as const

interface CaptumCase {
  readonly network: string
  readonly arrays: string
  readonly prefix: string
  readonly relu6: Relu6Rule
  readonly description: unknown
}

const cases: readonly CaptumCase[] = [
  {
    network: 'intel_headpose.onnx',
    arrays: 'astronaut_skimage_intel.npz',
    prefix: '',
    relu6: 'guided',
    description: {},
  },
  {
    network: 'shaw_b66.onnx',
    arrays: 'astronaut_skimage_shaw.npz',
    prefix: 'shaw_',
    relu6: 'plain',
    description: { heads: angles.map((angle) => ({ output: `${angle}_logits`, offset: -97.5 })) },
  },
]

describe.runIf(existsSync(new URL('intel_headpose.onnx', real)))('guided maps of ONNX files', () => {
  it.each(cases)('of $network are those of Captum', async ({ network: file, arrays, prefix, relu6, description }) => {
    const {
      description: found,
      recognised,
      weights,
    } = loadNetwork(readFileSync(new URL(file, real)), file, description)
    const known = readNumpyArrays(readFileSync(new URL(arrays, real)), arrays)
    const x = known.get(`${prefix}x`)
    if (x === undefined) throw new Error(`${arrays} holds no ${prefix}x`)
    const image = make('input', [], { name: 'x', shape: x.shape, dtype: 'float32' })
    const heads = decodeHeads(found.heads, recognised.build(weights, image))
    const gradients = angles.map((angle) => {
      const node = heads.angles.get(angle)
      if (node === undefined) throw new Error(`${file} gives no ${angle}`)
      return gradientOf(node, image, 'all', relu6)
    })
    const simpler = simplifyGradient(gradients)
    const outputs = new Map(gradients.map((node, i) => [angles[i] ?? '', simpler.get(node) ?? node]))
    const executor = await (await findEngine('onnxruntime:cpu'))({ outputs }, { intraOpThreads: 1 })
    const results = await executor.run(new Map([['x', Float32Array.from(x.data)]]))
    await executor.dispose()
    const errors = angles.map((angle) =>
      relativeError(results.get(angle) ?? [], known.get(`${prefix}gbp_${angle}`)?.data ?? []),
    )
    expect(errors.filter((error) => !(error < 1e-3))).toEqual([])
  })
})

/** Relative L2 distance. */
function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, norm] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    error += ((found[i] ?? NaN) - (expected[i] ?? NaN)) ** 2
    norm += (expected[i] ?? NaN) ** 2
  }
  return Math.sqrt(error / norm)
}
