import type { GraphProto, TensorProto } from 'onnx-buf'
import { InputError } from '../../../base/errors.ts'
import { shownText } from '../../../base/shownText.ts'
import { allFinite } from '../../weights/finite.ts'
import type { Tensors, WeightTensor } from '../../weights/tensors.ts'
import type { GraphSource } from './graphImport.ts'
import { knownTypeOf, readTensor, storedTypeOf } from './tensorData.ts'
import type { Known } from './value.ts'

export interface OnnxWeights {
  /** The floating-point tensors in the file that nodes of the graph take, by name; read, and checked to be finite, on first use. */
  readonly tensors: Tensors
  /** The number types that they were stored in, each once. */
  readonly storedTypes: readonly string[]
}

export function weightsOf(source: GraphSource): OnnxWeights {
  const taken = new Set(source.graph.node.flatMap(({ input }) => input))
  const tensors = new Map<string, WeightTensor>()
  const storedTypes = new Set<string>()
  for (const [name, tensor] of storedTensors(source.graph)) {
    const type = storedTypeOf(tensor.dataType)
    if (type === undefined || knownTypeOf(type) !== 'float' || !taken.has(name)) continue
    storedTypes.add(type)
    tensors.set(name, new Initialiser(readTensor(tensor, source), name, source.file))
  }
  return { tensors, storedTypes: [...storedTypes] }
}

/** Initialisers, and the tensors of Constant nodes, in which PaddlePaddle's exporter writes all weights. */
function* storedTensors({ initializer, node }: GraphProto): Generator<readonly [name: string, tensor: TensorProto]> {
  for (const tensor of initializer) yield [tensor.name, tensor]
  for (const { opType, attribute, output } of node) {
    const value = opType === 'Constant' ? attribute.find(({ name }) => name === 'value')?.t : undefined
    // A single number is a setting: a bound, an exponent.
    if (value !== undefined && value.dims.some((side) => side > 1n)) yield [output[0] ?? '', value]
  }
}

const made = new WeakMap<Tensors, ReadonlyMap<string, Known>>()

/**
 * The same for the importer. The numbers are asked of `weights` when they are needed, and the same weights give the same
 * values: a network that is read once for each image of a batch has them once.
 */
export function knownWeights(weights: Tensors): ReadonlyMap<string, Known> {
  const before = made.get(weights)
  if (before !== undefined) return before
  const all = new Map(
    [...weights].map(([name, tensor]): [string, Known] => [
      name,
      {
        kind: 'known',
        type: 'float',
        shape: tensor.shape,
        get data() {
          return tensor.data
        },
        name,
      },
    ]),
  )
  made.set(weights, all)
  return all
}

class Initialiser implements WeightTensor {
  readonly shape: readonly number[]
  readonly #known: Known
  readonly #name: string
  readonly #file: string
  #data: Float32Array | undefined

  constructor(known: Known, name: string, file: string) {
    this.shape = known.shape
    this.#known = known
    this.#name = name
    this.#file = file
  }

  get data(): Float32Array {
    return (this.#data ??= this.#finite())
  }

  #finite(): Float32Array {
    const { data } = this.#known
    const numbers = data instanceof Float32Array ? data : Float32Array.from(data)
    // A single number may be a bound that is none.
    if (numbers.length <= 1 || allFinite(numbers)) return numbers
    throw new InputError(
      'bad-checkpoint',
      `${this.#file} holds NaN or infinity in ${shownText(this.#name)}: export the network from an earlier checkpoint`,
    )
  }
}
