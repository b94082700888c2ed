import { InputError } from '../../base/errors.ts'
import { exportAdvice } from '../weights/exportAdvice.ts'
import type { Tensors, WeightTensor } from '../weights/tensors.ts'
import type { NetworkFamily, OutputLayer } from './family.ts'

const normParts = ['weight', 'bias', 'running_mean', 'running_var'] as const

/**
 * Layers that are known to be in files without taking part in the forward pass, though they look as if they did: a layer of
 * Hopenet's training, and SynergyNet's networks between landmarks and face parameters.
 */
const unusedLayers = /^(?:fc_finetune|(?:forward|reverse)Direction\..+)$/

/** Constants by which a head reads its numbers (SynergyNet): heads look for them, so that they are not left out. */
const constantName = /(?:^|\.)param_(?:mean|std)$/

/** Names that only a head has. One that does not take the trunk's features has layers before it that nobody here knows. */
const headName = /yaw|pitch|roll|^(?:fc_[ypr]|linear_reg|fc_param|fc_angles)\b/i

/**
 * Learned numbers that are no layer and change what a network gives: a pool's exponent (GeM), a PReLU's slopes, a layer norm's
 * factors, what logits are divided by. The weights of a loss, which look alike, are not among them.
 */
const scalingName =
  /(?:^|\.)(?:[^.]*(?:pool|gem)[^.]*\..+|p|temperature|logit_scale|(?:[^.]*_)?(?:[pP]?[rR]e[lL][uU]|act|norm|ln)_?\d*\.weight)$/

/**
 * Weights as a family reads them: it asks for each tensor of its trunk in the shape that belongs there, and what it asked
 * for has its place. All refusals are InputErrors that name the tensor: `unsupported-network`, and `bad-checkpoint` for a
 * variance below zero.
 */
export class TrunkReader {
  readonly #weights: Tensors
  readonly #file: string
  readonly #family: Pick<NetworkFamily, 'name' | 'layout'>
  readonly #unreadable: ReadonlyMap<string, string>
  readonly #placed = new Set<string>()

  /** @param unreadable as in `Weights`: a layer that needs one of these is refused, never built without it */
  constructor(
    weights: Tensors,
    file: string,
    family: Pick<NetworkFamily, 'name' | 'layout'>,
    unreadable: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#weights = weights
    this.#unreadable = unreadable
    this.#file = file
    this.#family = family
  }

  get weights(): Tensors {
    return this.#weights
  }

  /** Names of the tensors that have their place in the network. */
  get placed(): ReadonlySet<string> {
    return this.#placed
  }

  /** Also where its numbers cannot be read: asking for them says so. */
  has(name: string): boolean {
    return this.#weights.has(name) || this.#unreadable.has(name)
  }

  /** The highest number that stands in the first group of `pattern` among the names; undefined where nothing matches. */
  highest(pattern: RegExp): number | undefined {
    let highest: number | undefined
    for (const name of [...this.#weights.keys(), ...this.#unreadable.keys()]) {
      const number = pattern.exec(name)?.[1]
      if (number !== undefined) highest = Math.max(highest ?? 0, Number(number))
    }
    return highest
  }

  /** The shape of the tensor, which gets its place and must have the wanted sides; null stands for any size. */
  shape(name: string, wanted: readonly (number | null)[]): readonly number[] {
    const { shape } = this.tensor(name)
    const fits =
      shape.length === wanted.length && shape.every((side, axis) => side > 0 && side === (wanted[axis] ?? side))
    if (!fits) throw this.unsupported(`has ${name} of shape ${show(shape)} where ${show(wanted)} belongs`)
    this.#placed.add(name)
    return shape
  }

  /** The tensor, without giving it a place. */
  tensor(name: string): WeightTensor {
    const tensor = this.#weights.get(name)
    if (!tensor) throw this.missing(name)
    return tensor
  }

  /** A square convolution's `<name>.weight`, `wanted` as `shape` takes it; and its bias where there is one. */
  convolution(
    name: string,
    wanted: readonly [outs: number | null, insPerGroup: number | null, height: number | null, width: number | null],
  ): { readonly outs: number; readonly insPerGroup: number; readonly kernel: number } {
    const [outs = 0, insPerGroup = 0, height = 0, width = 0] = this.shape(`${name}.weight`, wanted)
    if (height !== width) throw this.unsupported(`has a kernel of ${height}×${width} in ${name}, not a square one`)
    return { outs, insPerGroup, kernel: height }
  }

  /** The first convolution, on the image: of 3 channels, or of 1 for a network of gray images. */
  stem(name: string, kernel: number): { readonly outs: number; readonly imageChannels: 1 | 3 } {
    const imageChannels = this.#weights.get(`${name}.weight`)?.shape[1] === 1 ? 1 : 3
    const { outs } = this.convolution(name, [null, imageChannels, kernel, kernel])
    return { outs, imageChannels }
  }

  /** A batch norm. It divides by a square root: a variance below zero would be NaN in every angle and every map. */
  norm(name: string, channels: number, epsilon: number): void {
    for (const part of normParts) this.shape(`${name}.${part}`, [channels])
    const variances = `${name}.running_var`
    const wrong = this.tensor(variances).data.find((variance) => variance + epsilon <= 0)
    if (wrong === undefined) return
    throw new InputError(
      'bad-checkpoint',
      `${this.#file} holds a variance of ${wrong} in ${variances}, and none can be below zero: take an earlier checkpoint`,
    )
  }

  /** A linear layer of the trunk: `[outs, ins]` and its bias where there is one. */
  linear(name: string, ins: number): { readonly outs: number } {
    const [outs = 0] = this.shape(`${name}.weight`, [null, ins])
    if (this.has(`${name}.bias`)) this.shape(`${name}.bias`, [outs])
    return { outs }
  }

  /**
   * The outputs: every linear layer on the trunk's `features` numbers. What else the trunk has not placed is left out with
   * a note, unless it may take part in the forward pass: names that `trunk` matches, convolutions and norms, a head that
   * takes other numbers, what takes an output's numbers or scales the features, and what belongs to an output besides its
   * weight and bias. A layer as wide as the features may stand before the heads, whose shapes then do not tell of it.
   */
  heads(
    features: number,
    trunk: RegExp,
  ): { readonly outputs: readonly OutputLayer[]; readonly notes: readonly string[] } {
    const outputs: OutputLayer[] = []
    const rest = [...this.#weights].filter(([name]) => !this.#placed.has(name))
    for (const [name, { shape }] of rest) {
      const [, output] = /^(.+)\.weight$/.exec(name) ?? []
      if (output === undefined || trunk.test(name) || unusedLayers.test(output)) continue
      if (shape.length !== 2 || shape[1] !== features) continue
      const { outs } = this.linear(output, features)
      outputs.push({ output, outputs: outs, bias: this.has(`${output}.bias`) })
    }
    const unplaced = rest.filter(([name]) => !this.#placed.has(name))
    for (const name of this.#unreadable.keys()) if (headName.test(name)) throw this.missing(name)
    for (const [name, { shape }] of unplaced) this.#refuseWhatMayTakePart(name, shape, features, outputs, trunk)
    const square = outputs.length > 1 ? outputs.find(({ outputs: outs }) => outs === features) : undefined
    if (square !== undefined) {
      throw this.unsupported(
        `holds ${square.output}.weight ${show([features, features])}, which may stand between the trunk and the other heads; if nothing takes what it gives, save the weights without it`,
      )
    }
    if (outputs.length === 0) {
      throw this.unsupported(`has no head: a weight of shape [outputs, ${features}] beside the trunk is missing`)
    }
    return { outputs, notes: leftOutNotes(unplaced.flatMap(([name]) => (constantName.test(name) ? [] : [name]))) }
  }

  missing(name: string): InputError {
    const what = this.#unreadable.get(name)
    if (what !== undefined) {
      return new InputError(
        'unsupported-network',
        `${this.#file} stores ${name} as ${what}: headlight needs floating-point weights, so save the network unquantised, its state_dict() alone`,
      )
    }
    // `conv1.0.weight` for `conv1.weight`: several layers stand where one belongs, such as the stem of a ResNet-D.
    const layer = name.slice(0, name.lastIndexOf('.') + 1)
    const inside = [...this.#weights.keys()].find(
      (held) => held.startsWith(layer) && held.slice(layer.length).includes('.'),
    )
    return this.unsupported(inside === undefined ? `lacks ${name}` : `has ${inside} where ${name} belongs`)
  }

  unsupported(what: string): InputError {
    return new InputError(
      'unsupported-network',
      `${this.#file} ${what}: headlight builds ${this.#family.layout}; for any other, ${exportAdvice}`,
    )
  }

  #refuseWhatMayTakePart(
    name: string,
    shape: readonly number[],
    features: number,
    outputs: readonly OutputLayer[],
    trunk: RegExp,
  ): void {
    const layer = name.slice(0, name.lastIndexOf('.'))
    if (unusedLayers.test(layer)) return
    const taken = shape.length === 2 ? shape[1] : undefined
    const chained = outputs.find((output) => output.outputs === taken && output.output !== layer)
    if (chained !== undefined && name.endsWith('.weight')) {
      throw this.unsupported(
        `holds ${name} ${show(shape)}, which may take what ${chained.output} gives, and layers between trunk and heads are unknown`,
      )
    }
    const convolutionOrNorm = shape.length > 2 || /\.running_(?:mean|var)$/.test(name)
    // `fc.lora_A`, `fc.weight_v`, `rnn.weight_ih_l0`; a layer norm or PReLU of the features, whatever it is called.
    const ofHead = outputs.some(({ output }) => name.startsWith(`${output}.`))
    const ofFeatures = taken === features || (shape.length === 1 && shape[0] === features && name.endsWith('.weight'))
    if (
      trunk.test(name) ||
      headName.test(name) ||
      scalingName.test(name) ||
      convolutionOrNorm ||
      ofHead ||
      ofFeatures
    ) {
      throw this.unsupported(
        `holds ${name} ${show(shape)}, which has no place in a ${this.#family.name} whose heads take ${features} features`,
      )
    }
  }
}

/** One sentence, which gathers the names by their first segments; none where there are no names. */
function leftOutNotes(names: readonly string[]): string[] {
  const bySegment = new Map<string, string[]>()
  for (const name of names) {
    const [segment = name] = name.split('.')
    bySegment.set(segment, [...(bySegment.get(segment) ?? []), name])
  }
  const groups = [...bySegment].map(([segment, [first = segment, ...more]]) =>
    more.length === 0 ? first : `${segment}.* (${more.length + 1} tensors)`,
  )
  const last = groups.pop()
  if (last === undefined) return []
  return groups.length === 0
    ? [`${last} takes no part in the forward pass and is left out.`]
    : [`${groups.join(', ')} and ${last} take no part in the forward pass and are left out.`]
}

function show(shape: readonly (number | null)[]): string {
  return `[${shape.map((side) => side ?? 'any').join(', ')}]`
}
