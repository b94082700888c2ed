import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

interface Size {
  /** Channels after the first convolution. */
  readonly stem: number
  readonly growth: number
  /** Layers of each dense block. */
  readonly layers: readonly number[]
}

export const densenet121: Size = { stem: 64, growth: 32, layers: [6, 12, 24, 16] }
/** A hundredth of the work. */
export const smallDensenet: Size = { stem: 8, growth: 8, layers: [2, 2, 2, 2] }

/** A DenseNet with three 61-bin heads in torchvision's names, seeded He initialisation, as a safetensors file. */
export function denseNetCheckpoint(path: string, { stem, growth, layers }: Size): void {
  const tensors: [string, number[], (index: number) => number][] = []
  let state = 1
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
  const conv = (name: string, outs: number, ins: number, kernel: number): void => {
    const bound = Math.sqrt(6 / (ins * kernel * kernel))
    tensors.push([`${name}.weight`, [outs, ins, kernel, kernel], () => uniform() * bound])
  }
  const norm = (name: string, channels: number): void => {
    for (const [part, value] of [
      ['weight', 1],
      ['bias', 0],
      ['running_mean', 0],
      ['running_var', 1],
    ] as const) {
      tensors.push([`${name}.${part}`, [channels], () => value + (part === 'bias' ? uniform() * 0.1 : 0)])
    }
  }
  conv('features.conv0', stem, 3, 7)
  norm('features.norm0', stem)
  let channels = stem
  for (const [index, count] of layers.entries()) {
    for (let layer = 1; layer <= count; layer++) {
      const name = `features.denseblock${index + 1}.denselayer${layer}`
      norm(`${name}.norm1`, channels)
      conv(`${name}.conv1`, 4 * growth, channels, 1)
      norm(`${name}.norm2`, 4 * growth)
      conv(`${name}.conv2`, growth, 4 * growth, 3)
      channels += growth
    }
    if (index < layers.length - 1) {
      norm(`features.transition${index + 1}.norm`, channels)
      conv(`features.transition${index + 1}.conv`, channels / 2, channels, 1)
      channels /= 2
    }
  }
  norm('features.norm5', channels)
  for (const angle of ['yaw', 'pitch', 'roll']) {
    tensors.push([`fc_${angle}.weight`, [61, channels], () => uniform() * 0.05])
    tensors.push([`fc_${angle}.bias`, [61], () => 0])
  }

  let offset = 0
  const header: Record<string, unknown> = {}
  const bodies = tensors.map(([name, shape, value]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => value(index))
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
    return new Uint8Array(data.buffer)
  })
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, Buffer.concat([length, text, ...bodies]))
}
