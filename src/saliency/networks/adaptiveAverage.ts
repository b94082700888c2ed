import type { Node } from '../graph.ts'
import { constant, make } from '../ops.ts'

/**
 * N×C×H×W → N×C×side×side: PyTorch's AdaptiveAvgPool2d. Its windows are as even as whole pixels allow, and where they do
 * not come out even they overlap, so that no pool of one kernel does it: one product for the columns and one for the rows.
 */
export function adaptiveAverage(side: number, x: Node): Node {
  const [, , height, width] = x.shape
  if (height === side && width === side) return x
  return transposed(averagedColumns(side, transposed(averagedColumns(side, x))))
}

/** N×C×H×W → N×C×H×side. */
function averagedColumns(side: number, x: Node): Node {
  const width = x.shape[3] ?? 1
  if (width === side) return x
  const shares = new Float32Array(side * width)
  for (let to = 0; to < side; to++) {
    const start = Math.floor((to * width) / side)
    const end = Math.ceil(((to + 1) * width) / side)
    shares.fill(1 / (end - start), to * width + start, to * width + end)
  }
  return make('matmul', [x, constant(shares, [side, width])], { transposeB: true }, 'avgpool')
}

function transposed(x: Node): Node {
  return make('transpose', [x], { permutation: [0, 1, 3, 2] })
}
