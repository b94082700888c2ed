import type { Tensors, WeightTensor } from '../weights/tensors.ts'
import type { RepVggBlock } from './repvggShape.ts'

/** Of 3×3. */
const kernelSize = 9
const kernelCentre = 4

/**
 * The weights with the branches of each block in training form folded into one convolution, `<block>.rbr_reparam`; what
 * the blocks do not own stays. The same as `get_equivalent_kernel_bias` of DingXiaoH/RepVGG, but in float64 until the end.
 */
export function foldedRepVggWeights(weights: Tensors, blocks: readonly RepVggBlock[], epsilon: number): Tensors {
  const folded = new Map([...weights].filter(([name]) => !/\.rbr_(?:dense|1x1|identity)\./.test(name)))
  for (const block of blocks) {
    if (block.form === 'deployed') continue
    const { weight, bias } = foldBlock(weights, block, epsilon)
    folded.set(`${block.name}.rbr_reparam.weight`, weight)
    folded.set(`${block.name}.rbr_reparam.bias`, bias)
  }
  return folded
}

/**
 * A convolution is linear, so what its batch norm multiplies by goes into its kernel. A 1×1 kernel is the centre of a 3×3
 * one, and a batch norm alone is one whose centre passes each channel on to itself.
 */
function foldBlock(
  weights: Tensors,
  { name, ins, outs, groups, identity }: RepVggBlock,
  epsilon: number,
): { readonly weight: WeightTensor; readonly bias: WeightTensor } {
  const insPerGroup = ins / groups
  const [dense, pointwise] = ['rbr_dense', 'rbr_1x1'].map((branch) => values(weights, `${name}.${branch}.conv.weight`))
  const norms = [`${name}.rbr_dense.bn`, `${name}.rbr_1x1.bn`, ...(identity ? [`${name}.rbr_identity`] : [])]
  const [denseNorm, pointwiseNorm, identityNorm] = norms.map((norm) => affineOf(weights, norm, epsilon))

  const weight = new Float32Array(outs * insPerGroup * kernelSize)
  const bias = new Float32Array(outs)
  for (let out = 0; out < outs; out++) {
    for (let channel = 0; channel < insPerGroup; channel++) {
      const pair = out * insPerGroup + channel
      for (let tap = 0; tap < kernelSize; tap++) {
        let value = (dense?.[pair * kernelSize + tap] ?? 0) * (denseNorm?.scale[out] ?? 0)
        if (tap === kernelCentre) {
          value += (pointwise?.[pair] ?? 0) * (pointwiseNorm?.scale[out] ?? 0)
          // The channel's place within its group.
          if (channel === out % insPerGroup) value += identityNorm?.scale[out] ?? 0
        }
        weight[pair * kernelSize + tap] = value
      }
    }
    bias[out] = (denseNorm?.shift[out] ?? 0) + (pointwiseNorm?.shift[out] ?? 0) + (identityNorm?.shift[out] ?? 0)
  }
  return { weight: { shape: [outs, insPerGroup, 3, 3], data: weight }, bias: { shape: [outs], data: bias } }
}

/** A batch norm as x · scale + shift. */
function affineOf(
  weights: Tensors,
  norm: string,
  epsilon: number,
): { readonly scale: Float64Array; readonly shift: Float64Array } {
  const mean = values(weights, `${norm}.running_mean`)
  const beta = values(weights, `${norm}.bias`)
  const variance = values(weights, `${norm}.running_var`)
  const scale = Float64Array.from(
    values(weights, `${norm}.weight`),
    (gamma, c) => gamma / Math.sqrt((variance[c] ?? 0) + epsilon),
  )
  return { scale, shift: scale.map((factor, c) => (beta[c] ?? 0) - (mean[c] ?? 0) * factor) }
}

function values(weights: Tensors, name: string): Float32Array {
  const tensor = weights.get(name)
  if (tensor === undefined) throw new Error(`the weights hold no ${name}`)
  return tensor.data
}
