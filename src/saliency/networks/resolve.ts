import type { InputError } from '../../base/errors.ts'
import { angleNames, type AngleName } from '../../pose/euler.ts'
import type { Description, DescriptionOverride, Head, HeadOverride } from './description.ts'
import type { BatchNormEpsilons, OutputLayer, RecognisedNetwork } from './family.ts'
import type { Provenance } from './network.ts'
import { badDescription } from './override.ts'
import { resolveInput } from './resolveInput.ts'

/** Degrees per bin and the angle of bin 0, by the number of bins: the origin's heads and Hopenet's. */
const knownBins: Readonly<Record<number, { step: number; offset: number }>> = {
  61: { step: 3, offset: -90 },
  66: { step: 3, offset: -99 },
}

export interface ResolvedDescription {
  readonly description: Description
  /** By path, see `Network.provenance`. */
  readonly provenance: Readonly<Record<string, Provenance>>
  /** Sentences about what was assumed or left out. */
  readonly notes: readonly string[]
}

/** A value of a description and where it comes from. */
interface Sourced<T> {
  readonly value: T
  readonly from: Provenance
}

type SourcedHead = { readonly head: Head; readonly from: Readonly<Record<string, Provenance>> }

/**
 * The description of a network: what was given, else what the weights say, else torchvision's defaults. Heads come in
 * the order yaw, pitch, roll whatever the file's order. A resolved description given as override resolves to itself.
 *
 * InputError `bad-description` when the override contradicts the weights or itself, or when something cannot be known
 * without it, such as what 90 bins mean.
 */
export function resolveDescription(
  recognised: Pick<RecognisedNetwork, 'outputs' | 'smallestSide' | 'imageChannels' | 'batchNorm'>,
  override: DescriptionOverride,
  file: string,
): ResolvedDescription {
  const resolver = new HeadResolver(recognised.outputs, override.heads ?? [], file)
  const heads = resolver.heads()
  const { input, provenance: inputProvenance } = resolveInput(recognised, override.input ?? {}, file)
  const provenance: Record<string, Provenance> = { ...inputProvenance }
  for (const [index, { from }] of heads.entries()) {
    for (const [key, source] of Object.entries(from)) provenance[`heads.${index}.${key}`] = source
  }
  const { batchNorm } = recognised
  const description = { input, heads: heads.map(({ head }) => head), ...(isUsual(batchNorm) ? {} : { batchNorm }) }
  for (const key of Object.keys(description.batchNorm ?? {}) as (keyof BatchNormEpsilons)[]) {
    provenance[`batchNorm.${key}`] = override.batchNorm?.[key] === undefined ? 'default' : 'given'
  }
  return { description, provenance, notes: resolver.notes }
}

/** PyTorch's own, which the descriptions of existing result sets do not mention. */
function isUsual({ epsilon, projectionEpsilon = epsilon }: BatchNormEpsilons): boolean {
  return epsilon === 1e-5 && projectionEpsilon === 1e-5
}

class HeadResolver {
  readonly notes: string[] = []
  readonly #outputs: readonly OutputLayer[]
  readonly #file: string
  readonly #given: ReadonlyMap<string, HeadOverride>

  constructor(outputs: readonly OutputLayer[], overrides: readonly HeadOverride[], file: string) {
    this.#outputs = outputs
    this.#file = file
    const given = new Map<string, HeadOverride>()
    for (const [index, override] of overrides.entries()) {
      const output = this.#outputOf(override, index)
      if (given.has(output)) throw this.#bad(`heads.${index} describes ${output} a second time`)
      given.set(output, override)
    }
    this.#given = given
  }

  heads(): SourcedHead[] {
    const angles = this.#angles()
    const angular: SourcedHead[] = []
    const others: SourcedHead[] = []
    for (const head of this.#outputs) {
      const given = this.#given.get(head.output) ?? {}
      const angle = angles.get(head.output)
      const found = angle === undefined ? 'classes' : head.outputs === 1 ? 'value' : 'binned'
      const kind = sourced<Head['kind']>(given.kind, found, 'found in the weights')
      if (kind.value === 'classes') others.push(this.#classes(head, given, kind))
      else if (angle === undefined)
        throw this.#bad(`the angle of ${head.output} is missing: add angle: yaw, pitch or roll`)
      else if (kind.value === 'value') angular.push(this.#value(head, given, kind, angle))
      else angular.push(this.#binned(head, given, kind, angle))
    }
    if (angular.length === 0) return this.#onlyClasses(others)
    for (const { head } of others) {
      if (this.#given.has(head.output)) {
        throw this.#bad(`${head.output} gives classes, which cannot stand beside heads that give angles`)
      }
      this.notes.push(`The output ${head.output} gives no angle and is left out.`)
    }
    return this.#inAngleOrder(angular)
  }

  /** A network with one output that is no angle, such as torchvision's own of 1000 classes. */
  #onlyClasses(heads: SourcedHead[]): SourcedHead[] {
    if (heads.length > 1) {
      const names = heads.map(({ head }) => head.output).join(', ')
      throw this.#bad(
        `the names of the outputs ${names} do not tell their angles: list them as heads, each with its angle`,
      )
    }
    return heads
  }

  #inAngleOrder(heads: readonly SourcedHead[]): SourcedHead[] {
    return angleNames.flatMap((name) => {
      const claims = heads.filter(({ head }) => head.kind !== 'classes' && head.angle === name)
      // What was said outweighs what a name suggests.
      const said = claims.filter(({ from }) => from.angle === 'given')
      const kept = said.length > 0 ? said : claims
      if (kept.length > 1) {
        const names = kept.map(({ head }) => head.output).join(' and ')
        throw this.#bad(`both ${names} give ${name}: list the right one under heads with angle: ${name}`)
      }
      for (const { head } of claims) {
        if (!kept.some((other) => other.head === head)) {
          this.notes.push(`The output ${head.output} is left out: another one was given for ${name}.`)
        }
      }
      return kept
    })
  }

  /** The angle of each output that has one. */
  #angles(): Map<string, Sourced<AngleName>> {
    const angles = new Map<string, Sourced<AngleName>>()
    for (const { output } of this.#outputs) {
      const given = this.#given.get(output)?.angle
      const told = angleInName(output)
      if (given !== undefined) angles.set(output, { value: given, from: 'given' })
      else if (told !== undefined) angles.set(output, { value: told, from: 'found in the weights' })
    }
    const heads = this.#outputs
    const alike = heads.length === 3 && heads.every(({ outputs }) => outputs === heads[0]?.outputs)
    if (angles.size === 0 && alike && this.#given.size === 0) {
      for (const [index, { output }] of heads.entries()) {
        const value = angleNames[index]
        if (value !== undefined) angles.set(output, { value, from: 'default' })
      }
      const names = heads.map(({ output }) => output).join(', ')
      this.notes.push(
        `The names of the outputs ${names} do not tell their angles: in the file's order they are taken as yaw, pitch, roll.`,
      )
    }
    return angles
  }

  #classes(head: OutputLayer, given: HeadOverride, kind: Sourced<Head['kind']>): SourcedHead {
    this.#refuseOthers(head, given, 'classes', ['classes'])
    if (given.classes !== undefined && given.classes !== head.outputs)
      throw this.#miscounted(head, 'classes', given.classes)
    return {
      head: { kind: 'classes', output: head.output, classes: head.outputs },
      from: { kind: kind.from, output: 'found in the weights', classes: 'found in the weights' },
    }
  }

  #value(head: OutputLayer, given: HeadOverride, kind: Sourced<Head['kind']>, angle: Sourced<AngleName>): SourcedHead {
    this.#refuseOthers(head, given, 'value', ['angle', 'unit', 'sign'])
    if (head.outputs !== 1) throw this.#miscounted(head, 'value', 1)
    const unit = sourced<'degrees' | 'radians'>(given.unit, 'degrees', 'default')
    const sign = sourced<1 | -1>(given.sign, 1, 'default')
    return {
      head: { kind: 'value', output: head.output, angle: angle.value, unit: unit.value, sign: sign.value },
      from: { kind: kind.from, output: 'found in the weights', angle: angle.from, unit: unit.from, sign: sign.from },
    }
  }

  #binned(head: OutputLayer, given: HeadOverride, kind: Sourced<Head['kind']>, angle: Sourced<AngleName>): SourcedHead {
    this.#refuseOthers(head, given, 'binned', ['angle', 'bins', 'step', 'offset', 'sign'])
    const bins = head.outputs
    if (given.bins !== undefined && given.bins !== bins) throw this.#miscounted(head, 'bins', given.bins)
    if (bins < 2) throw this.#miscounted(head, 'bins', 2)
    const step = sourced<number | undefined>(given.step, knownBins[bins]?.step, 'default')
    const offset = sourced<number | undefined>(given.offset, knownBins[bins]?.offset, 'default')
    const sign = sourced<1 | -1>(given.sign, 1, 'default')
    if (step.value === undefined || offset.value === undefined) {
      throw this.#bad(
        `${head.output} has ${bins} bins, and only those of 61 and 66 have a known meaning: list it under heads with step (degrees per bin) and offset (the angle of bin 0)`,
      )
    }
    return {
      head: {
        kind: 'binned',
        output: head.output,
        angle: angle.value,
        bins,
        step: step.value,
        offset: offset.value,
        sign: sign.value,
      },
      from: {
        kind: kind.from,
        output: 'found in the weights',
        angle: angle.from,
        bins: 'found in the weights',
        step: step.from,
        offset: offset.from,
        sign: sign.from,
      },
    }
  }

  /** The output that an override speaks of. */
  #outputOf(override: HeadOverride, index: number): string {
    const { output, angle } = override
    const outputs = this.#outputs.map((head) => head.output)
    if (output !== undefined) {
      if (outputs.includes(output)) return output
      throw this.#bad(`heads.${index} speaks of the output ${output}, and the weights have ${outputs.join(', ')}`)
    }
    const matching = outputs.filter((name) => angle !== undefined && angleInName(name) === angle)
    const [only] = matching
    if (only !== undefined && matching.length === 1) return only
    throw this.#bad(`heads.${index} does not say which output it means: add output: ${outputs.join(' or ')}`)
  }

  #refuseOthers(head: OutputLayer, given: HeadOverride, kind: Head['kind'], allowed: readonly string[]): void {
    const wrong = Object.entries(given).find(
      ([key, value]) => value !== undefined && key !== 'kind' && key !== 'output' && !allowed.includes(key),
    )
    if (wrong) {
      throw this.#bad(`${head.output} is a head of kind ${kind}, for which ${wrong[0]} means nothing`)
    }
  }

  #miscounted(head: OutputLayer, what: string, said: number): InputError {
    return this.#bad(`${head.output} has ${head.outputs} outputs in the weights, which does not fit ${what}: ${said}`)
  }

  #bad(what: string): InputError {
    return badDescription(this.#file, what)
  }
}

function angleInName(output: string): AngleName | undefined {
  const told = angleNames.filter((name) => output.toLowerCase().includes(name))
  return told.length === 1 ? told[0] : undefined
}

function sourced<T>(given: T | undefined, otherwise: T, from: Provenance): Sourced<T> {
  return given === undefined ? { value: otherwise, from } : { value: given, from: 'given' }
}
