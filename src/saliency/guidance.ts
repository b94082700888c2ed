import { InputError } from '../base/errors.ts'
import { activationsBetween, guidedActivations, isNeverGuided, kindsBetween } from './activations.ts'
import type { Relu6Rule, Scope } from './choices.ts'
import type { Node } from './graph.ts'
import type { Network } from './networks/network.ts'
import { make } from './ops.ts'

/** How the activations of a network are treated. */
export interface Guidance {
  readonly scope: Scope
  /** Guided unless given. */
  readonly relu6?: Relu6Rule | undefined
}

/** Of one kind of activation: how many lie between the image and the outputs, and how many of these are guided. */
export interface ActivationCount {
  /**
   * `relu`, `relu6`, `prelu`, or of those that are never guided `sigmoid`, `tanh`, `hardSigmoid`, `hardSwish`, `silu`,
   * `clip`. A later version may know more.
   */
  readonly kind: string
  readonly count: number
  readonly guided: number
}

/**
 * The activations that gradients pass on their way from the outputs to the image, by kind, the first kind first. Without
 * building the gradient: an objective that reads some of the outputs may pass fewer of them.
 */
export function countActivations(
  { recognised, weights, description }: Network,
  { scope, relu6 = 'guided' }: Guidance,
): ActivationCount[] {
  const { width, height } = description.input
  const shape = [1, recognised.imageChannels, height, width]
  const image = make('input', [], { name: 'image', shape, dtype: 'float32' })
  const outputs = recognised.build(weights, image)
  const read = description.heads.flatMap(({ output }) => outputs.get(output) ?? [])
  const kinds = [...kindsBetween(image, read)]
  const guided = new Set<Node>(guidedActivations(activationsBetween(image, read), scope, relu6))
  return [...new Set(kinds.map(([, kind]) => kind))].map((kind) => {
    const alike = kinds.filter(([, other]) => other === kind)
    return { kind, count: alike.length, guided: alike.filter(([node]) => guided.has(node)).length }
  })
}

/**
 * InputError `nothing-to-guide` where a scope that guides finds nothing that it could: the map would be a plain gradient
 * under the name of another method.
 */
export function requireGuided(counts: readonly ActivationCount[], { scope }: Guidance, file: string): void {
  if (scope === 'none' || counts.some(({ guided }) => guided > 0)) return
  const never = counts.filter(({ kind }) => isNeverGuided(kind))
  const others = counts.filter(({ kind }) => !isNeverGuided(kind))
  const what = others.length === 0 ? 'no ReLU, ReLU6 or PReLU' : `nothing but ${listed(others, ' and ')}`
  const besides = never.length === 0 ? '' : ` (never guided: ${listed(never, ', ')})`
  const advice = others.length === 0 ? 'give' : 'give --relu6 guided, or'
  throw new InputError(
    'nothing-to-guide',
    `${file} has ${what} between its image and its outputs${besides}, so --scope ${scope} has nothing to guide: ${advice} --scope none for the plain gradient`,
  )
}

function listed(counts: readonly ActivationCount[], separator: string): string {
  return counts.map(({ kind, count }) => amount(count, kind)).join(separator)
}

/** For people: `35 ReLU6 guided (0 < x < 6)`, `1 ReLU guided, 48 ReLUs plain (scope stem)`. */
export function guidanceText(counts: readonly ActivationCount[], guidance: Guidance): string {
  const parts = counts.flatMap(({ kind, count, guided }) => {
    const where = kind === 'relu6' ? ' (0 < x < 6)' : ''
    return [
      ...(guided > 0 ? [`${amount(guided, kind)} guided${where}`] : []),
      ...(guided < count ? [`${amount(count - guided, kind)} plain (${whyPlain(kind, guidance)})`] : []),
    ]
  })
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function whyPlain(kind: string, { scope, relu6 }: Guidance): string {
  if (isNeverGuided(kind)) return 'never guided'
  if (kind === 'relu6' && relu6 === 'plain' && scope !== 'none') return '--relu6 plain'
  return `scope ${scope}`
}

const names: Readonly<Record<string, readonly [one: string, more: string]>> = {
  relu: ['ReLU', 'ReLUs'],
  relu6: ['ReLU6', 'ReLU6'],
  prelu: ['PReLU', 'PReLUs'],
  sigmoid: ['sigmoid', 'sigmoids'],
  tanh: ['tanh', 'tanh'],
  hardSigmoid: ['hard sigmoid', 'hard sigmoids'],
  hardSwish: ['hard-swish', 'hard-swish'],
  silu: ['SiLU', 'SiLUs'],
  clip: ['clip', 'clips'],
}

function amount(count: number, kind: string): string {
  const [one, more] = names[kind] ?? [kind, kind]
  return `${count} ${count === 1 ? one : more}`
}
