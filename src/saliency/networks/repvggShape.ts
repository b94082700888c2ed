import type { TrunkReader } from './trunkReader.ts'

export interface RepVggBlock {
  /** `stage1.0`; the stem is `stage0`. */
  readonly name: string
  readonly form: 'training' | 'deployed'
  readonly ins: number
  readonly outs: number
  readonly groups: number
  readonly stride: 1 | 2
  /** In training form: whether a third branch is a batch norm of the block's input. */
  readonly identity: boolean
}

export interface RepVggShape {
  readonly imageChannels: 1 | 3
  /** The stem first, which is a stage of one block. */
  readonly stages: readonly (readonly RepVggBlock[])[]
  /** All of them in order. */
  readonly blocks: readonly RepVggBlock[]
}

/**
 * Finds the RepVGG that the weights make up. Each block may be in its own form: a network that is being converted is
 * saved half-way by some tools. Strides are not in weights; the first block of each stage halves, the stem too. Raises what
 * the reader raises.
 */
export function findRepVggShape(reader: TrunkReader, epsilon: number): RepVggShape {
  refuseSqueeze(reader)
  const stage = reader.highest(/^layer(\d)\b/) === undefined ? 'stage' : 'layer'
  const stem = `${stage}0`
  const first = reader.has(`${stem}.rbr_reparam.weight`) ? 'rbr_reparam' : 'rbr_dense.conv'
  const imageChannels = reader.stem(`${stem}.${first}`, 3).imageChannels
  const stages = [[findBlock(reader, stem, imageChannels, 2, epsilon)]]
  for (let number = 1; number <= (reader.highest(new RegExp(`^${stage}(\\d{1,2})\\.`)) ?? 0); number++) {
    const blocks: RepVggBlock[] = []
    // From the highest numbers that occur, so that a hole is reported as a missing tensor.
    const last = reader.highest(new RegExp(`^${stage}${number}\\.(\\d{1,3})\\.`)) ?? 0
    for (let index = 0; index <= last; index++) {
      const ins = (blocks.at(-1) ?? stages.at(-1)?.at(-1))?.outs ?? 0
      blocks.push(findBlock(reader, `${stage}${number}.${index}`, ins, index === 0 ? 2 : 1, epsilon))
    }
    stages.push(blocks)
  }
  return { imageChannels, stages, blocks: stages.flat() }
}

/** RepVGG-D2se scales each block's channels by a sigmoid of them. */
function refuseSqueeze(reader: TrunkReader): void {
  const squeeze = [...reader.weights.keys()].find((name) => /\.se\.(?:down|up)\./.test(name))
  if (squeeze === undefined) return
  throw reader.unsupported(`holds ${squeeze}, and RepVGGs with squeeze and excitation (D2se) are not built`)
}

function findBlock(reader: TrunkReader, name: string, ins: number, stride: 1 | 2, epsilon: number): RepVggBlock {
  const deployed = reader.has(`${name}.rbr_reparam.weight`)
  const dense = deployed ? `${name}.rbr_reparam` : `${name}.rbr_dense.conv`
  const { outs, insPerGroup } = reader.convolution(dense, [null, null, 3, 3])
  const groups = ins / insPerGroup
  if (!Number.isInteger(groups) || outs % groups !== 0) {
    throw reader.unsupported(
      `has ${dense} with ${insPerGroup} channels a group, which do not divide ${ins} and ${outs}`,
    )
  }
  const block = { name, ins, outs, groups, stride }
  if (deployed) {
    reader.shape(`${name}.rbr_reparam.bias`, [outs])
    return { ...block, form: 'deployed', identity: false }
  }
  reader.norm(`${name}.rbr_dense.bn`, outs, epsilon)
  reader.convolution(`${name}.rbr_1x1.conv`, [outs, insPerGroup, 1, 1])
  reader.norm(`${name}.rbr_1x1.bn`, outs, epsilon)
  const identity = ins === outs && stride === 1
  if (identity) reader.norm(`${name}.rbr_identity`, outs, epsilon)
  return { ...block, form: 'training', identity }
}
