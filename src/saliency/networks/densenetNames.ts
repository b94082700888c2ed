import { InputError } from '../../base/errors.ts'
import { renamed, unlessTaken } from '../weights/names.ts'

/** torchvision before 0.3 wrote `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`. */
const oldSpelling = /(\.denselayer\d+\.(?:norm|conv))\.([12])\.([^.]+)$/

const trunkPart = /^(?:conv0|norm\d+|denseblock\d+|transition\d+)\./
const stemName = 'conv0.weight'

/**
 * torchvision's names for those of a DenseNet: old spellings resolved, the trunk under `features.` wherever the model
 * keeps it (`backbone.features.conv0.weight`, `conv0.weight`), and what stands beside the trunk
 * (`backbone.classifier.weight`) without that prefix, unless another layer is called so. Undefined when there is no such trunk. InputError
 * `unsupported-network` when there are two.
 */
export function denseNetNames(names: readonly string[], file: string): ReadonlyMap<string, string> | undefined {
  const prefix = trunkPrefix(names, file)
  if (prefix === undefined) return undefined
  const beside = unlessTaken(names, (name) => withoutParent(name, prefix))
  const rename = (name: string): string => underFeatures(name.replace(oldSpelling, '$1$2.$3'), prefix) ?? beside(name)
  return renamed(names, rename, file)
}

/** What stands before `conv0.weight`, e.g. `features.`; undefined when there is no such tensor. */
function trunkPrefix(names: readonly string[], file: string): string | undefined {
  const prefixes = names
    .filter((name) => name === stemName || name.endsWith(`.${stemName}`))
    .map((name) => name.slice(0, -stemName.length))
  if (prefixes.length > 1) {
    throw new InputError(
      'unsupported-network',
      `${file} holds ${prefixes.length} DenseNets (${prefixes.map((prefix) => `${prefix}${stemName}`).join(', ')}): save one alone`,
    )
  }
  return prefixes[0]
}

/** Undefined for what is no part of the trunk. */
function underFeatures(name: string, prefix: string): string | undefined {
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return trunkPart.test(rest) ? `features.${rest}` : undefined
}

function withoutParent(name: string, prefix: string): string {
  const parent = prefix.replace(/[^.]+\.$/, '')
  return parent !== '' && name.startsWith(parent) && !name.startsWith(prefix) ? name.slice(parent.length) : name
}
