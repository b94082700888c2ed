import type { Tensors } from '../../src/saliency/weights/tensors.ts'

/** Weights of these shapes, all zero: enough to be recognised. */
export function zeros(shapes: Readonly<Record<string, readonly number[]>>): Tensors {
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { shape, data: new Float32Array(shape.reduce((product, side) => product * side, 1)) },
    ]),
  )
}
