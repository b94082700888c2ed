import { InputError } from '../../base/errors.ts'

/** Segments that wrappers put into names: DataParallel and DistributedDataParallel, torch.compile. */
const wrapperSegment = /(^|\.)(?:module|_orig_mod)\.(?=.)/g

/** torchvision before 0.3 wrote `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`. */
const oldSpelling = /(\.denselayer\d+\.(?:norm|conv))\.([12])\.([^.]+)$/

const trunkPart = /^(?:conv0|norm\d+|denseblock\d+|transition\d+)\./
const stemName = 'conv0.weight'

/**
 * torchvision's names for a checkpoint's own ones, by the latter: wrappers' segments and old spellings resolved, the
 * DenseNet's trunk under `features.` wherever the model keeps it (`backbone.features.conv0.weight`, `conv0.weight`),
 * and what stands beside the trunk (`backbone.classifier.weight`) without that prefix. Names of other networks come
 * back without wrappers' segments. InputError `unsupported-network` when two tensors would get one name.
 */
export function torchvisionNames(names: Iterable<string>, file: string): ReadonlyMap<string, string> {
  const plain = new Map<string, string>()
  for (const name of names) plain.set(name, withoutWrappers(name).replace(oldSpelling, '$1$2.$3'))
  const prefix = trunkPrefix([...plain.values()], file)
  const taken = new Map<string, string>()
  for (const [name, spelt] of plain) {
    const resolved = prefix === undefined ? spelt : underFeatures(spelt, prefix)
    const other = taken.get(resolved)
    if (other !== undefined) {
      throw new InputError(
        'unsupported-network',
        `${file} holds both ${other} and ${name}, which are the same weight of a DenseNet: save one network alone`,
      )
    }
    taken.set(resolved, name)
    plain.set(name, resolved)
  }
  return plain
}

function withoutWrappers(name: string): string {
  let shorter = name.replace(wrapperSegment, '$1')
  // `module.module.x`: the segments share a dot, so one pass leaves every second one.
  while (shorter !== name) {
    name = shorter
    shorter = name.replace(wrapperSegment, '$1')
  }
  return shorter
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

function underFeatures(name: string, prefix: string): string {
  if (name.startsWith(prefix)) {
    const rest = name.slice(prefix.length)
    if (trunkPart.test(rest)) return `features.${rest}`
  }
  const parent = prefix.replace(/[^.]+\.$/, '')
  return parent !== '' && name.startsWith(parent) && !name.startsWith(prefix) ? name.slice(parent.length) : name
}
