import { InputError } from '../../base/errors.ts'

/** Segments that wrappers put into names: DataParallel and DistributedDataParallel, torch.compile. */
const wrapperSegment = /(^|\.)(?:module|_orig_mod)\.(?=.)/g

/**
 * A checkpoint's own names by themselves, without the segments that wrappers put into them; in the file's order.
 * InputError `unsupported-network` when two tensors would get one name.
 */
export function namesWithoutWrappers(names: Iterable<string>, file: string): ReadonlyMap<string, string> {
  return renamed(names, withoutWrappers, file)
}

/** New names by the old ones. InputError `unsupported-network` when two would be one. */
export function renamed(
  names: Iterable<string>,
  rename: (name: string) => string,
  file: string,
): ReadonlyMap<string, string> {
  const result = new Map<string, string>()
  const taken = new Map<string, string>()
  for (const name of names) {
    const shorter = rename(name)
    const other = taken.get(shorter)
    if (other !== undefined) {
      throw new InputError(
        'unsupported-network',
        `${file} holds both ${other} and ${name}, which headlight would take for one (${shorter}): save one network alone`,
      )
    }
    taken.set(shorter, name)
    result.set(name, shorter)
  }
  return result
}

/**
 * `rename`, but a layer keeps its names where the file has one of the new ones already: `backbone.fc` beside `fc` is a
 * second head. To rename one tensor without the other would give one head the other's bias.
 */
export function unlessTaken(names: readonly string[], rename: (name: string) => string): (name: string) => string {
  const held = new Set(names)
  const isTaken = (name: string): boolean => rename(name) !== name && held.has(rename(name))
  const kept = new Set(names.filter(isTaken).map(layerOf))
  return (name) => (kept.has(layerOf(name)) ? name : rename(name))
}

function layerOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'))
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
