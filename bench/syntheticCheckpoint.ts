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

/** Draws a network's tensors, seeded: what the weights are does not change how long they take. */
export class Draft {
  readonly #tensors: { name: string; shape: readonly number[]; data: Float32Array }[] = []
  #state = 1

  /** He initialisation. Channels of one group. */
  conv(name: string, outs: number, ins: number, kernel: number): void {
    const bound = Math.sqrt(6 / (ins * kernel * kernel))
    this.#add(`${name}.weight`, [outs, ins, kernel, kernel], () => this.#uniform() * bound)
  }

  norm(name: string, channels: number): void {
    this.#add(`${name}.weight`, [channels], () => 1)
    this.bias(name, channels)
    this.#add(`${name}.running_mean`, [channels], () => 0)
    this.#add(`${name}.running_var`, [channels], () => 1)
  }

  bias(name: string, channels: number): void {
    this.#add(`${name}.bias`, [channels], () => this.#uniform() * 0.1)
  }

  linear(name: string, outs: number, ins: number): void {
    this.#add(`${name}.weight`, [outs, ins], () => this.#uniform() * 0.05)
    this.#add(`${name}.bias`, [outs], () => 0)
  }

  /** As a safetensors file. */
  write(path: string): void {
    let offset = 0
    const header: Record<string, unknown> = {}
    for (const { name, shape, data } of this.#tensors) {
      header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] }
      offset += data.byteLength
    }
    const text = Buffer.from(JSON.stringify(header))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(text.length))
    const bodies = this.#tensors.map(({ data }) => new Uint8Array(data.buffer))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, Buffer.concat([length, text, ...bodies]))
  }

  #add(name: string, shape: readonly number[], value: () => number): void {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value)
    this.#tensors.push({ name, shape, data })
  }

  #uniform(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return this.#state / 2 ** 31 - 1
  }
}

/** A DenseNet with three 61-bin heads in torchvision's names. */
export function denseNetCheckpoint(path: string, { stem, growth, layers }: Size): void {
  const draft = new Draft()
  draft.conv('features.conv0', stem, 3, 7)
  draft.norm('features.norm0', stem)
  let channels = stem
  for (const [index, count] of layers.entries()) {
    for (let layer = 1; layer <= count; layer++) {
      const name = `features.denseblock${index + 1}.denselayer${layer}`
      draft.norm(`${name}.norm1`, channels)
      draft.conv(`${name}.conv1`, 4 * growth, channels, 1)
      draft.norm(`${name}.norm2`, 4 * growth)
      draft.conv(`${name}.conv2`, growth, 4 * growth, 3)
      channels += growth
    }
    if (index < layers.length - 1) {
      draft.norm(`features.transition${index + 1}.norm`, channels)
      draft.conv(`features.transition${index + 1}.conv`, channels / 2, channels, 1)
      channels /= 2
    }
  }
  draft.norm('features.norm5', channels)
  for (const angle of ['yaw', 'pitch', 'roll']) draft.linear(`fc_${angle}`, 61, channels)
  draft.write(path)
}
