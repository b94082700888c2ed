/** A weight as float32, whatever the file stored (fp16 and bf16 are widened exactly). Row-major. */
export interface WeightTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Weights by name, without the segments that wrappers put into names. */
export type Tensors = ReadonlyMap<string, WeightTensor>
