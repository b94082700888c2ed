import type { InputError } from '../../base/errors.ts'
import { yamlValue } from '../../base/yamlText.ts'
import { angleNames, type AngleName } from '../../pose/euler.ts'
import type { Tensors } from '../weights/tensors.ts'
import type { OutputLayer } from './family.ts'
import type { ResolvedHead, Sourced } from './heads/head.ts'
import { anglesOf, keysOf, kindOf, type Head, type HeadOverride } from './heads/kinds.ts'
import { ifAngles, suggestedHeads, type Suggestion } from './heads/suggested.ts'

/** A head as it is looked for: what an override says of it, and what the name of its output suggests. */
interface Candidate {
  readonly layer: OutputLayer
  readonly given: HeadOverride
  readonly suggested: Suggestion | undefined
}

export interface HeadSources {
  readonly outputs: readonly OutputLayer[]
  readonly overrides: readonly HeadOverride[]
  /** Every tensor of the file, also those that no layer takes. */
  readonly tensors: Tensors
  /** InputError `bad-description` about this network. */
  readonly bad: (what: string) => InputError
  /** What to do about an output that a head names and the weights call otherwise, or do not have. */
  readonly renaming: (outputs: string) => string
}

/** The heads of a network in the order yaw, pitch, roll, and what was assumed or left out. InputError `bad-description`. */
export function resolveHeads(sources: HeadSources): { heads: readonly ResolvedHead<Head>[]; notes: readonly string[] } {
  const resolver = new HeadResolver(sources)
  return { heads: resolver.heads(), notes: resolver.notes }
}

/** How many outputs a sentence lists: some ONNX files have every tensor among theirs. */
const mostListed = 8

class HeadResolver {
  readonly notes: string[] = []
  readonly #outputs: readonly OutputLayer[]
  readonly #tensors: Tensors
  readonly #bad: (what: string) => InputError
  readonly #renaming: (outputs: string) => string
  /** By output, with each override's place in the list. */
  readonly #given = new Map<string, { readonly override: HeadOverride; readonly index: number }[]>()
  readonly #suggestions: ReadonlyMap<string, readonly Suggestion[]>

  constructor({ outputs, overrides, tensors, bad, renaming }: HeadSources) {
    this.#outputs = outputs
    this.#tensors = tensors
    this.#bad = bad
    this.#renaming = renaming
    this.#suggestions = new Map(outputs.map((layer) => [layer.output, suggestedHeads(layer)]))
    for (const [index, override] of overrides.entries()) {
      const output = this.#outputOf(override, index)
      const others = this.#given.get(output)
      if (others === undefined) this.#given.set(output, [{ override, index }])
      else others.push({ override, index })
    }
  }

  heads(): ResolvedHead<Head>[] {
    const angles = this.#anglesByOrder()
    const angular: ResolvedHead<Head>[] = []
    const others: ResolvedHead<Head>[] = []
    this.#noteNames()
    for (const candidate of this.#outputs.flatMap((layer) => this.#candidates(layer))) {
      const resolved = this.#resolved(candidate, angles)
      if (resolved.head.kind === 'classes') others.push(resolved)
      else angular.push(resolved)
    }
    if (angular.length === 0) return this.#onlyClasses(others)
    for (const { head } of others) {
      if (this.#given.has(head.output)) {
        throw this.#bad(`${head.output} gives classes, which cannot stand beside heads that give angles`)
      }
      this.notes.push(`The output ${head.output} is left out: nothing says that it gives an angle.`)
    }
    return this.#inAngleOrder(angular)
  }

  /** A network with one output that is no angle, such as torchvision's own of 1000 classes, or the one that was given. */
  #onlyClasses(heads: ResolvedHead<Head>[]): ResolvedHead<Head>[] {
    const given = heads.filter(({ head }) => this.#given.has(head.output))
    if (given.length === 1) {
      for (const { head } of heads) {
        if (!this.#given.has(head.output)) this.notes.push(`The output ${head.output} is left out.`)
      }
      return given
    }
    if (heads.length > 1) {
      const names = heads.slice(0, mostListed).map(({ head }) => head.output)
      const more = heads.length - names.length
      throw this.#bad(
        `the names of the outputs ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''} do not say which angles they give: list them as heads, each with its angle, or one with kind: classes`,
      )
    }
    for (const { head, from } of heads) {
      const hint =
        head.kind === 'classes' && from.kind !== 'given'
          ? ifAngles({ output: head.output, outputs: head.classes })
          : undefined
      if (hint !== undefined)
        this.notes.push(
          `The name of ${head.output} does not say what it gives, so it is taken as the scores of classes; ${hint}.`,
        )
    }
    return heads
  }

  #inAngleOrder(heads: readonly ResolvedHead<Head>[]): ResolvedHead<Head>[] {
    const kept = new Set(heads)
    const claimsOf = (name: AngleName) => [...kept].filter(({ head }) => anglesOf(head).includes(name))
    for (const name of angleNames) {
      const claims = claimsOf(name)
      // What was said outweighs what a name suggests.
      const said = claims.filter(({ from }) => (from.angle ?? from.kind) === 'given')
      for (const claim of said.length > 0 ? claims : []) {
        if (said.includes(claim)) continue
        kept.delete(claim)
        this.notes.push(`The output ${claim.head.output} is left out: another one was given for ${name}.`)
      }
    }
    for (const name of angleNames) {
      const claims = claimsOf(name)
      if (claims.length < 2) continue
      const names = claims.map(({ head }) => head.output).join(' and ')
      const how = claims.every(({ head }) => 'angle' in head) ? `angle: ${name}` : 'its kind'
      throw this.#bad(`both ${names} give ${name}: list the right one under heads with ${how}`)
    }
    const first = ({ head }: ResolvedHead<Head>) => angleNames.findIndex((name) => anglesOf(head).includes(name))
    return [...kept].toSorted((a, b) => first(a) - first(b))
  }

  /** Three like outputs whose names tell nothing, where nothing else is said. */
  #anglesByOrder(): ReadonlyMap<string, Sourced<AngleName>> {
    const outputs = this.#outputs
    const alike = outputs.length === 3 && outputs.every((layer) => layer.outputs === outputs[0]?.outputs)
    const nameless = [...this.#suggestions.values()].flat().every(({ kind }) => kind === 'classes')
    if (!alike || !nameless || this.#given.size > 0) return new Map()
    const names = outputs.map(({ output }) => output)
    this.notes.push(
      `The names of the outputs ${names.join(', ')} do not say which angles they give: they are taken, in the file's order, as yaw, pitch, roll.`,
    )
    return new Map(names.map((name, index) => [name, { value: angleNames[index] ?? 'yaw', from: 'default' }]))
  }

  /** Outputs whose names tell an angle only to those who know the published networks. */
  #noteNames(): void {
    const taken = [...this.#suggestions].flatMap(([output, [one, ...more]]) =>
      one?.angle?.from === 'default' && more.length === 0 && !this.#given.has(output)
        ? [[output, one.angle.value]]
        : [],
    )
    if (taken.length === 0) return
    const [names, angles] = [0, 1].map((part) => taken.map((pair) => pair[part]).join(', '))
    this.notes.push(
      taken.length === 1
        ? `The output ${names} is taken as ${angles} because of its name.`
        : `The outputs ${names} are taken as ${angles} because of their names.`,
    )
  }

  /** The heads on one output: those that its name suggests as they were overridden, or those that were given instead. */
  #candidates(layer: OutputLayer): Candidate[] {
    const { output } = layer
    const suggestions = this.#suggestions.get(output) ?? []
    const given = this.#given.get(output) ?? []
    const places = given.map(({ override }) => override.start ?? override.index)
    const replaced =
      given.some(({ override: { kind } }) => kind !== undefined && suggestions.every((one) => one.kind !== kind)) ||
      (given.length > suggestions.length && !places.includes(undefined))
    if (replaced) {
      return given.map(({ override, index }) => {
        if (places.indexOf(override.start ?? override.index) < given.findIndex((one) => one.index === index)) {
          throw this.#bad(`heads.${index} describes ${output} a second time`)
        }
        return { layer, given: override, suggested: angleSuggestion(suggestions) }
      })
    }
    const taken = new Map<Suggestion, HeadOverride>()
    for (const { override, index } of given) {
      const suggested = suggestions.find((one) => speaksOf(override, one, suggestions.length))
      if (suggested === undefined) {
        throw this.#bad(
          override.index === undefined
            ? `heads.${index} does not say which of the ${layer.outputs} numbers of ${output} it means: add index`
            : `heads.${index} has index: ${override.index}, and ${output} has ${layer.outputs} numbers (0 to ${layer.outputs - 1})`,
        )
      }
      if (taken.has(suggested)) throw this.#bad(`heads.${index} describes ${output} a second time`)
      taken.set(suggested, override)
    }
    return suggestions.map((suggested) => ({ layer, given: taken.get(suggested) ?? {}, suggested }))
  }

  #resolved(
    { layer, given, suggested }: Candidate,
    byOrder: ReadonlyMap<string, Sourced<AngleName>>,
  ): ResolvedHead<Head> {
    const angle: Sourced<AngleName> | undefined =
      given.angle === undefined
        ? (suggested?.angle ?? byOrder.get(layer.output))
        : { value: given.angle, from: 'given' }
    // An angle that was given, or follows from the order, makes more of an output than its name does.
    const ofAngle = layer.outputs === 1 || given.index !== undefined ? 'value' : 'binned'
    const isOfBins = given.step !== undefined || given.bins !== undefined
    const guess =
      suggested === undefined || suggested.kind === 'classes'
        ? angle || isOfBins
          ? ofAngle
          : 'classes'
        : suggested.kind
    const kind = given.kind ?? guess
    const wrong = Object.entries(given).find(
      ([key, value]) => value !== undefined && key !== 'kind' && key !== 'output' && !keysOf(kind).includes(key),
    )
    if (wrong) throw this.#bad(`${layer.output} is a head of kind ${kind}, which has no ${wrong[0]}`)
    const isSuggested = suggested?.kind === kind
    if (isSuggested && suggested.note !== undefined && (given.angle ?? given.kind) === undefined) {
      this.notes.push(suggested.note)
    }
    return kindOf(kind).resolve({
      layer,
      given,
      assumed: isSuggested ? suggested.assumed : {},
      kindFrom: given.kind !== undefined ? 'given' : (suggested?.kindFrom ?? 'found in the weights'),
      angle,
      tensors: this.#tensors,
      bad: this.#bad,
    })
  }

  /** The output that an override speaks of. */
  #outputOf(override: HeadOverride, index: number): string {
    const { output, angle } = override
    const outputs = this.#outputs.map((layer) => layer.output)
    if (output !== undefined) {
      if (outputs.includes(output)) return output
      const advice = this.#renaming(outputs.map(yamlValue).join(' or '))
      throw this.#bad(`heads.${index} names the output ${output}, and the file has ${outputs.join(', ')}: ${advice}`)
    }
    const matching = outputs.filter((name) => {
      const suggestions = this.#suggestions.get(name) ?? []
      if (outputs.length === 1 && (angle === undefined || suggestions.every((one) => one.angle === undefined)))
        return true
      return suggestions.some((one) => angle !== undefined && one.angle?.value === angle)
    })
    const [only] = matching
    if (only !== undefined && matching.length === 1) return only
    throw this.#bad(
      `heads.${index} does not say which output it means: add output: ${outputs.map(yamlValue).join(' or ')}`,
    )
  }
}

/** Whether an override speaks of a head that a name suggests: of the only one, else by its index or its angle. */
function speaksOf(override: HeadOverride, { angle, assumed }: Suggestion, suggestions: number): boolean {
  if (suggestions === 1) return true
  return override.index === undefined ? override.angle === angle?.value : override.index === assumed.index
}

/** A name that tells an angle goes on telling it when another kind was given. */
function angleSuggestion(suggestions: readonly Suggestion[]): Suggestion | undefined {
  const [only, ...more] = suggestions
  return more.length === 0 ? only : undefined
}
