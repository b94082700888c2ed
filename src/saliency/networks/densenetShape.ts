/** One linear layer on the globally averaged features: weight `[outputs, finalFeatures]`, bias `[outputs]` or none. */
export interface DenseNetHead {
  /** Weight prefix: the tensors are `<output>.weight` and, where `bias` is true, `<output>.bias`. */
  readonly output: string
  readonly outputs: number
  readonly bias: boolean
}

/**
 * All that the weights say about a DenseNet in torchvision's layout. Strides and paddings are not in weights; they are
 * torchvision's: stem stride 2 and padding (stemKernel − 1) / 2, max pool 3×3 stride 2 padding 1, layers stride 1 with
 * padding (layerKernel − 1) / 2, transitions end in a 2×2 average pool.
 */
export interface DenseNetShape {
  /** Channels after `features.conv0`. */
  readonly initFeatures: number
  /** Channels that every dense layer adds. */
  readonly growth: number
  /** Channels between the two convolutions of a dense layer (128 in DenseNet-121: 4 · growth). */
  readonly bottleneck: number
  /** Dense layers per block, e.g. [6, 12, 24, 16]. */
  readonly blocks: readonly number[]
  /** Channels after each transition; one entry fewer than `blocks`. */
  readonly transitions: readonly number[]
  /** Channels after the last block, which `norm<blocks + 1>` and the heads take. */
  readonly finalFeatures: number
  /** Side of `features.conv0`'s kernel: 7. */
  readonly stemKernel: number
  /** Side of the second kernel of a dense layer: 3, or another odd number. The first is 1×1. */
  readonly layerKernel: number
  /** Batch norm's epsilon, which no checkpoint stores: torchvision's 1e-5. */
  readonly epsilon: number
  /** In the order of the file. */
  readonly heads: readonly DenseNetHead[]
}
