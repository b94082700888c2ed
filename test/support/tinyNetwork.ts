import { readFileSync } from 'node:fs'
import { readWeights } from '../../src/saliency/weights/read.ts'
import type { Tensors, WeightTensor } from '../../src/saliency/weights/tensors.ts'
import { safetensors } from './writeCheckpoint.ts'

/** A small DenseNet: growth 8, blocks 2-2-2-2, three heads of 61 bins on 32 features. */
export const tinyBytes = readFileSync(new URL('../checkpoints/tiny_hp.pkl', import.meta.url))

const tiny = readWeights(tinyBytes, 'tiny_hp.pkl').tensors

/** Its weights with some tensors replaced (by ones of this shape, of zeros) or taken out (null). */
export function tinyWith(changes: Readonly<Record<string, readonly number[] | null>> = {}): Tensors {
  const tensors = new Map(tiny)
  for (const [name, shape] of Object.entries(changes)) {
    if (shape === null) tensors.delete(name)
    else tensors.set(name, zeros(shape))
  }
  return tensors
}

/** A safetensors file of it whose first convolution takes one channel, the red one's weights. */
export function grayCheckpoint(): Buffer {
  const [stem, kernel] = ['features.conv0.weight', 7 * 7]
  const header: Record<string, object> = {}
  const parts: Buffer[] = []
  let end = 0
  for (const [name, { shape, data }] of tiny) {
    const isStem = name === stem
    const kept = isStem ? data.filter((_, index) => Math.floor(index / kernel) % 3 === 0) : data
    const bytes = Buffer.from(Float32Array.from(kept).buffer)
    header[name] = {
      dtype: 'F32',
      shape: isStem ? [shape[0], 1, 7, 7] : shape,
      data_offsets: [end, (end += bytes.length)],
    }
    parts.push(bytes)
  }
  return safetensors(header, Buffer.concat(parts))
}

const trunk = new Map([...tiny].filter(([name]) => name.startsWith('features.')))

/** Its trunk with other heads: `[outputs, features]` by name, in this order. */
export function tinyWithHeads(heads: Readonly<Record<string, readonly number[]>>): Tensors {
  const tensors = new Map(trunk)
  for (const [output, shape] of Object.entries(heads)) {
    tensors.set(`${output}.weight`, zeros(shape))
    tensors.set(`${output}.bias`, zeros(shape.slice(0, 1)))
  }
  return tensors
}

function zeros(shape: readonly number[]): WeightTensor {
  return { shape, data: new Float32Array(shape.reduce((product, side) => product * side, 1)) }
}
