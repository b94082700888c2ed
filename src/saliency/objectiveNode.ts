import type { HeadNodes } from './decode.ts'
import type { Node } from './graph.ts'
import { namedOutput, parseObjective, type Objective } from './objective.ts'
import { constant, make, scalar } from './ops.ts'

/** The N×1 node that `name` differentiates. The network has it, see `checkObjectives`; `labels` is needed for `class:label`. */
export function objectiveNode(name: string, heads: HeadNodes, labels: Node | undefined): Node {
  const objective = parseObjective(name)
  if (objective === undefined) throw new Error(`objective "${name}" is unknown`)
  const node = positiveNode(objective, heads, labels)
  if (node === undefined) throw new Error(`the network has no ${name}`)
  return objective.sign === 1 ? node : make('mul', [node, scalar(-1)])
}

function positiveNode(objective: Objective, heads: HeadNodes, labels: Node | undefined): Node | undefined {
  switch (objective.kind) {
    case 'sum': {
      const [one, ...more] = heads.angles.values()
      return one === undefined || more.length === 0 ? one : make('sum', [one, ...more])
    }
    case 'angle':
      return heads.angles.get(objective.angle)
    case 'top':
      return largest(heads.logits.get(objective.angle))
    case 'bin':
      return column(heads.logits.get(objective.angle), objective.bin)
    case 'class':
      return column(heads.classes, objective.index)
    case 'topClass':
      return largest(heads.classes)
    case 'ownClass':
      return labels && picked(heads.classes, labels)
    case 'output': {
      const name = namedOutput(objective.output, [...heads.outputs.keys()])
      return column(heads.outputs.get(name ?? ''), objective.index)
    }
  }
}

function largest(values: Node | undefined): Node | undefined {
  return values && picked(values, make('oneHotArgmax', [values]))
}

/** The number of each row at which `oneHot` has its one. */
function picked(values: Node | undefined, oneHot: Node): Node | undefined {
  return values && make('reduceSum', [make('mul', [values, oneHot])], { axes: [1] })
}

function column(values: Node | undefined, index: number): Node | undefined {
  const count = values?.shape[1] ?? 0
  if (values === undefined || index >= count) return undefined
  const oneHot = new Float32Array(count)
  oneHot[index] = 1
  return make('matmul', [values, constant(oneHot, [count, 1])], { transposeB: false })
}
