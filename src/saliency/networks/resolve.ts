import type { InputError } from '../../base/errors.ts'
import type { Tensors } from '../weights/tensors.ts'
import type { Description, DescriptionOverride } from './description.ts'
import type { BatchNormEpsilons, RecognisedNetwork } from './family.ts'
import { badDescription, isReady } from './override.ts'
import type { Provenance } from './provenance.ts'
import { resolveHeads } from './resolveHeads.ts'
import { resolveInput } from './resolveInput.ts'

export interface ResolvedDescription {
  readonly description: Description
  /** By path, see `Network.provenance`. */
  readonly provenance: Readonly<Record<string, Provenance>>
  /** Sentences about what was assumed or left out. */
  readonly notes: readonly string[]
}

/**
 * The description of a network: what was given, else what the weights say, else torchvision's defaults. Heads come in
 * the order yaw, pitch, roll whatever the file's order. A resolved description given as override resolves to itself.
 * `tensors` are all of the file, among which a head may find its constants. `source` is where people find the override.
 *
 * InputError `bad-description` when the override contradicts the weights or itself, or when something cannot be known
 * without it, such as what 91 bins mean.
 */
export function resolveDescription(
  recognised: Pick<RecognisedNetwork, 'outputs' | 'smallestSide' | 'imageChannels' | 'batchNorm' | 'found'>,
  override: DescriptionOverride,
  file: string,
  tensors: Tensors = new Map(),
  source?: string,
): ResolvedDescription {
  const bad = (what: string): InputError => badDescription(file, what, source)
  const { heads, notes } = resolveHeads({
    outputs: recognised.outputs,
    overrides: override.heads ?? [],
    tensors,
    bad,
    renaming: (outputs) =>
      isReady(source)
        ? `if that is the same by another name, copy headlight's config/networks/${source}.yaml to ${file}.yaml, write output: ${outputs} there, and leave out --description`
        : `write output: ${outputs}`,
  })
  const { input, provenance: inputProvenance, notes: inputNotes } = resolveInput(recognised, override.input ?? {}, bad)
  const provenance: Record<string, Provenance> = { ...inputProvenance }
  for (const [index, { from }] of heads.entries()) {
    for (const [key, source] of Object.entries(from)) provenance[`heads.${index}.${key}`] = source
  }
  const { batchNorm } = recognised
  refuseUselessEpsilon(override.batchNorm, batchNorm, bad)
  const description = { input, heads: heads.map(({ head }) => head), ...(isUsual(batchNorm) ? {} : { batchNorm }) }
  for (const key of Object.keys(description.batchNorm ?? {}) as (keyof BatchNormEpsilons)[]) {
    provenance[`batchNorm.${key}`] = override.batchNorm?.[key] === undefined ? 'default' : 'given'
  }
  return { description, provenance, notes: [...notes, ...inputNotes] }
}

/**
 * PyTorch's own, which the descriptions of existing result sets do not mention. A projections' epsilon that a family gives is
 * kept even where it is the same: left out, the family would assume another one when it reads the description back.
 */
function isUsual({ epsilon, projectionEpsilon }: BatchNormEpsilons): boolean {
  return epsilon === 1e-5 && projectionEpsilon === undefined
}

function refuseUselessEpsilon(
  given: DescriptionOverride['batchNorm'],
  taken: BatchNormEpsilons,
  bad: (what: string) => InputError,
): void {
  const said = given?.projectionEpsilon
  if (said !== undefined && said !== (taken.projectionEpsilon ?? taken.epsilon)) {
    throw bad(`batchNorm.projectionEpsilon is ${said}, and this network has no inverted residuals`)
  }
}
