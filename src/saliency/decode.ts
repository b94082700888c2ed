import { angleNames, type AngleName } from '../pose/euler.ts'
import type { Node } from './graph.ts'
import { kindOf, type Head } from './networks/heads/kinds.ts'
import { make } from './ops.ts'

/** The nodes that an objective may be made of. */
export interface HeadNodes {
  /** N×1 each, degrees; in the order yaw, pitch, roll. */
  readonly angles: ReadonlyMap<AngleName, Node>
  /** N×bins for binned heads. */
  readonly logits: ReadonlyMap<AngleName, Node>
  /** N×classes of the only output that is no angle. */
  readonly classes: Node | undefined
  /** Every output of the network by its name, N×numbers, raw. */
  readonly outputs: ReadonlyMap<string, Node>
}

/** What the heads of a description make of the network's outputs. */
export function decodeHeads(heads: readonly Head[], outputs: ReadonlyMap<string, Node>): HeadNodes {
  const angles = new Map<AngleName, Node>()
  const logits = new Map<AngleName, Node>()
  let classes: Node | undefined
  for (const head of heads) {
    const values = columnsOf(head, outputs)
    if (head.kind === 'classes') classes = values
    if (head.kind === 'binned') logits.set(head.angle, values)
    for (const [angle, node] of kindOf(head.kind).decode(values, head)) angles.set(angle, node)
  }
  // Yaw, pitch, roll whatever the file's order, so that sums are taken in one order.
  const sorted = angleNames.flatMap((name) => {
    const node = angles.get(name)
    return node === undefined ? [] : [[name, node] as const]
  })
  return { angles: new Map(sorted), logits, classes, outputs }
}

function columnsOf(head: Head, outputs: ReadonlyMap<string, Node>): Node {
  const node = outputs.get(head.output)
  if (node === undefined) throw new Error(`the network has no output ${head.output}`)
  const { start, count } = kindOf(head.kind).columns(head)
  return count === node.shape[1] ? node : make('slice', [node], { axis: 1, start, end: start + count })
}
