import { PickleDict, PickleList, PickleTuple, PickleUnread, type PickleValue } from './pickleValues.ts'
import { StoredTensor, UnsupportedTensor } from './storedTensor.ts'
import { tensorIn } from './torchPickle.ts'

/**
 * What lies under a name that could be a weight's: a tensor, or, for a checkpoint in which a layer may ask for it in vain,
 * something that was left unread.
 */
export type StoredTensors = ReadonlyMap<string, StoredTensor | UnsupportedTensor | PickleUnread>

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
 * choice, `parts` where other layers lie which were not. Undefined when there is none.
 */
export function findStateDict(
  value: PickleValue,
): { tensors: StoredTensors; note: string | null; parts: readonly string[] } | undefined {
  const found = [...dictionariesOf(value)]
  const kinds = found.map(kindOf)
  const best = Math.min(...kinds)
  const candidates = found.filter((_, index) => kinds[index] === best)
  const [taken, ...others] = candidates.toSorted(
    (a, b) =>
      (best === denseNet ? 0 : Number(isAverage(a)) - Number(isAverage(b))) ||
      rank(a) - rank(b) ||
      b.tensors.size - a.tensors.size,
  )
  if (!taken) return undefined
  // A network may be saved in parts, `backbone` and `head`: without the second it would be another one.
  const parts = found
    .filter((_, index) => best < ofOptimiser && kinds[index]! > best && kinds[index]! < ofOptimiser)
    .map(place)
  const notes = [
    ...(others.length > 0 && best < anything
      ? [`The file holds several sets of weights; ${place(taken)} was taken, not ${others.map(place).join(', ')}.`]
      : []),
    ...(parts.length > 0
      ? [`The file holds layers under ${parts.join(', ')} besides ${place(taken)}; they were left out.`]
      : []),
  ]
  return { tensors: taken.tensors, note: notes.length > 0 ? notes.join(' ') : null, parts }
}

/** The first of the kinds, and the last two: an optimiser's, and no names of weights in it. */
const denseNet = 0
const ofOptimiser = 3
const anything = 4

/**
 * How much a dictionary looks like a network, the most first. An optimiser's moments have the shapes of convolutions too,
 * and may have their names. DenseNets come first, and averages are no worse among them, since earlier versions chose so:
 * another choice now would mix the maps of two networks in one result set.
 */
function kindOf({ path, tensors }: Found): number {
  const names = [...tensors.keys()]
  if (names.some((name) => /(^|\.)conv0\.weight$/.test(name))) return denseNet
  const weights = [...tensors].filter(([name]) => /(^|\.)weight$/.test(name))
  if (weights.length === 0) return anything
  if (/optim/i.test(path)) return ofOptimiser
  return weights.some(([, tensor]) => !(tensor instanceof StoredTensor) || tensor.shape.length === 4) ? 1 : 2
}

/** A moving average of the network (`ema`, `model_ema.state_dict`, `model_avg`), which lies beside it under a name of its own. */
function isAverage({ path }: Found): boolean {
  return /(?:^|[._])(?:ema|swa|avg|average|averaged|shadow|teacher)(?:$|[._])/i.test(path)
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
      const tensors = new Map<string, StoredTensor | UnsupportedTensor | PickleUnread>()
      let some = false
      for (const [name, member] of members) {
        const tensor = tensorIn(member) ?? packedTensorIn(member)
        some ||= tensor !== undefined
        if (tensor) tensors.set(name, tensor)
        else if (member instanceof PickleUnread) tensors.set(name, member)
        else if (isContainer(member)) next.push({ path: path === '' ? name : `${path}.${name}`, value: member })
      }
      if (some) yield { path, tensors }
    }
    level = next
  }
}

/** `fc._packed_params._packed_params` of a quantised linear layer is a tuple of its weight and its bias. */
function packedTensorIn(value: PickleValue): UnsupportedTensor | undefined {
  if (!(value instanceof PickleTuple)) return undefined
  const tensor = tensorIn(value.items[0])
  return tensor instanceof UnsupportedTensor ? tensor : undefined
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
