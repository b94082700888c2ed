/** A weight as float32, whatever the file stored (fp16 and bf16 are widened exactly). Row-major. */
export interface WeightTensor {
  readonly shape: readonly number[]
  /**
   * Of a weight in a file, read on first use: InputError `bad-checkpoint` when the file is damaged there, or holds NaN or
   * infinity. What no layer uses may be anything.
   */
  readonly data: Float32Array
}

/** Weights by name, without the segments that wrappers put into names. */
export type Tensors = ReadonlyMap<string, WeightTensor>
