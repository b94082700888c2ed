import { InputError } from '../../base/errors.ts'
import { PickleDict, PickleList, PickleTuple, type PickleValue } from './pickleValues.ts'
import type { StoredTensor } from './storedTensor.ts'
import { tensorIn } from './torchPickle.ts'

/** Tensors by the name that the file gives them, in the file's order. */
export type StoredTensors = ReadonlyMap<string, StoredTensor>

interface Found {
  /** Where it lies, e.g. `checkpoint.state_dict`; empty for the file's own value. */
  readonly path: string
  readonly tensors: StoredTensors
}

/** Deeper than any wrapper seen; a pickle can nest without end, or contain itself. */
const maxDepth = 6
const maxDictionaries = 10_000

/** Preferred in this order when a file holds several sets of weights, such as a network and its moving average. */
const usualNames = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'module', 'weights', 'params']

/**
 * The weights in what `torch.save` was given: a state_dict itself, or one inside wrapper dictionaries
 * (`{'epoch': 3, 'state_dict': …, 'optimizer': …}`) under whatever name. `note` says which was taken when there was a
 * choice. InputError `bad-checkpoint` when there is none.
 */
export function findStateDict(value: PickleValue, file: string): { tensors: StoredTensors; note: string | null } {
  const found = [...dictionariesOf(value)]
  const trunks = found.filter(({ tensors }) => [...tensors.keys()].some((name) => /(^|\.)conv0\.weight$/.test(name)))
  const candidates = trunks.length > 0 ? trunks : found
  const [best] = candidates.toSorted((a, b) => rank(a) - rank(b) || b.tensors.size - a.tensors.size)
  if (!best) {
    throw new InputError(
      'bad-checkpoint',
      `${file} holds no dictionary of weights: save them with torch.save(model.state_dict(), FILE)`,
    )
  }
  const others = trunks.filter((other) => other !== best)
  const note =
    others.length > 0
      ? `The file holds several sets of weights; ${place(best)} was taken, not ${others.map(place).join(', ')}.`
      : null
  return { tensors: best.tensors, note }
}

function place({ path }: Found): string {
  return path === '' ? 'the outermost' : JSON.stringify(path)
}

function rank({ path }: Found): number {
  const name = path.slice(path.lastIndexOf('.') + 1)
  const index = usualNames.indexOf(name)
  return path === '' ? -1 : index < 0 ? usualNames.length : index
}

/** Every dictionary with at least one tensor of its own. */
function* dictionariesOf(root: PickleValue): Generator<Found> {
  const seen = new Set<PickleValue>()
  let level: { path: string; value: PickleValue }[] = [{ path: '', value: root }]
  for (let depth = 0; depth < maxDepth && level.length > 0; depth++) {
    const next: typeof level = []
    for (const { path, value } of level) {
      if (seen.has(value) || seen.size > maxDictionaries) continue
      const members = [...membersOf(value)]
      if (members.length === 0) continue
      seen.add(value)
      const tensors = new Map<string, StoredTensor>()
      for (const [name, member] of members) {
        const tensor = tensorIn(member)
        if (tensor) tensors.set(name, tensor)
        else if (isContainer(member)) next.push({ path: path === '' ? name : `${path}.${name}`, value: member })
      }
      if (tensors.size > 0) yield { path, tensors }
    }
    level = next
  }
}

function isContainer(value: PickleValue): value is PickleDict | PickleList | PickleTuple {
  return value instanceof PickleDict || value instanceof PickleList || value instanceof PickleTuple
}

function* membersOf(value: PickleValue): Generator<readonly [string, PickleValue]> {
  if (value instanceof PickleDict) {
    for (const [key, member] of value.entries) if (typeof key === 'string') yield [key, member]
  } else if (value instanceof PickleList || value instanceof PickleTuple) {
    for (const [index, member] of value.items.entries()) yield [String(index), member]
  }
}
