import type { InputError } from '../../base/errors.ts'
import { channelsOf, type InputDescription, type InputOverride } from './description.ts'
import type { RecognisedNetwork } from './family.ts'
import type { Provenance } from './provenance.ts'

/** Width and height in pixels where nothing says them. */
export const usualSide = 224

/** torchvision's preprocessing for its ImageNet weights, and the origin's. */
const defaults = {
  width: usualSide,
  height: usualSide,
  resize: 'shorter-side',
  range: 1,
  // Not turned round for BGR: whoever says BGR says its numbers too, or results made so far would change.
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const
/** There is no custom to follow: networks that see gray are rarely trained on ImageNet. */
const grayDefaults = { mean: [0], std: [1] } as const
/** Of a network that takes bytes, and brings them to its own range itself. */
const byteDefaults = { range: 255, mean: 0, std: 1 } as const

export interface ResolvedInput {
  readonly input: InputDescription
  /** By path, e.g. `input.width`. A key that is absent at its default has none there. */
  readonly provenance: Readonly<Record<string, Provenance>>
  /** Sentences about what is allowed and hardly meant. */
  readonly notes: readonly string[]
}

/** InputError `bad-description` about this network. */
type BadInput = (what: string) => InputError

/**
 * What a network is shown: what was given, else torchvision's defaults. InputError `bad-description` when what was given
 * contradicts the weights or itself.
 */
export function resolveInput(
  weights: Pick<RecognisedNetwork, 'smallestSide' | 'imageChannels' | 'found'>,
  given: InputOverride,
  bad: BadInput,
): ResolvedInput {
  const count = weights.imageChannels
  const channels = given.channels ?? (count === 1 ? 'gray' : 'rgb')
  if (count !== channelsOf(channels)) {
    throw bad(`input.channels is ${channels}, and this network takes ${count === 1 ? 'gray images' : 'colour images'}`)
  }
  const input: InputDescription = {
    width: weights.found?.width ?? given.width ?? defaults.width,
    height: weights.found?.height ?? given.height ?? defaults.height,
    resize: given.resize ?? defaults.resize,
    ...(given.resizeTo === undefined ? {} : { resizeTo: given.resizeTo }),
    ...(given.filter === 'opencv' ? { filter: given.filter } : {}),
    channels,
    ...(given.normalise === 'min-max' ? { normalise: given.normalise } : {}),
    ...numbersOf(given, channels, weights.found?.isBytes === true ? byteDefaults : undefined, bad),
  }
  const notes = meanNotes(given, input, bad)
  refuseSmallInput(weights.smallestSide, input, bad)
  refuseResizeTo(input, bad)
  // The same computation as without it: one result has one description.
  if (input.resizeTo === input.width && input.resizeTo === input.height) delete input.resizeTo
  return { input, provenance: provenanceOf(input, given, weights), notes }
}

/**
 * No picture has a mean above its range: it was worked out for pixels of 0 to 255 while they are 0 to 1 here, for the most
 * part. Beside a range that was given it is only a note, since every stored description gives one and must stay readable.
 */
function meanNotes(given: InputOverride, { range, mean }: InputDescription, bad: BadInput): string[] {
  const largest = Math.max(...mean)
  if (given.mean === undefined || largest <= range) return []
  const said = `input.mean has ${largest}, above every pixel, since`
  if (given.range !== undefined) return [`${said} input.range is ${range}: is one of them wrong?`]
  const advice = largest > 255 ? 'give the range of the pixels, too' : 'if pixels go from 0 to 255, add range: 255'
  throw bad(`${said} these go from 0 to ${range} (range): ${advice}`)
}

type Numbers = Pick<InputDescription, 'range' | 'mean' | 'std'>

function numbersOf(
  given: InputOverride,
  channels: InputDescription['channels'],
  foundNumbers: typeof byteDefaults | undefined,
  bad: BadInput,
): Numbers {
  const count = channelsOf(channels)
  const each = (key: 'mean' | 'std' | 'scale' | 'offset', otherwise: number | readonly number[]): number[] => {
    const value = given[key] ?? otherwise
    const list = typeof value === 'number' ? Array.from({ length: count }, () => value) : [...value]
    if (list.length === count) return list
    const needed = count === 1 ? 'gray needs one' : `${channels.toUpperCase()} needs three, or one number for all`
    throw bad(`input.${key} is a list of ${list.length}, and ${needed}`)
  }
  const byScale = (['scale', 'offset'] as const).find((key) => given[key] !== undefined)
  if (byScale === undefined) {
    const usual = foundNumbers ?? (count === 1 ? { ...defaults, ...grayDefaults } : defaults)
    return { range: given.range ?? usual.range, mean: each('mean', usual.mean), std: each('std', usual.std) }
  }
  const other = (['range', 'mean', 'std'] as const).find((key) => given[key] !== undefined)
  if (other !== undefined) {
    throw bad(`input.${byScale} and input.${other} exclude each other: give scale and offset, or range, mean and std`)
  }
  // pixel · scale + offset = (pixel − mean) / std. The zero added makes no −0, which JSON would not keep.
  const scale = each(
    'scale',
    Array.from({ length: count }, () => 1),
  )
  const offset = each(
    'offset',
    Array.from({ length: count }, () => 0),
  )
  return {
    range: 255,
    mean: offset.map((value, c) => -value / (scale[c] ?? 1) + 0),
    std: scale.map((value) => 1 / value),
  }
}

/** Global averaging needs at least one pixel. */
function refuseSmallInput(smallestSide: number, input: InputDescription, bad: BadInput): void {
  for (const side of ['width', 'height'] as const) {
    if (input[side] < smallestSide) {
      throw bad(`input.${side} is ${input[side]}, and this network needs at least ${smallestSide}`)
    }
  }
}

/** torchvision's `CenterCrop` would put a black frame around every picture, which nobody wants by intention. */
function refuseResizeTo({ resize, resizeTo, width, height }: InputDescription, bad: BadInput): void {
  if (resizeTo === undefined) return
  if (resize === 'letterbox') {
    throw bad('input.resizeTo has no effect with resize: letterbox, which cuts nothing off: leave it out')
  }
  for (const [side, pixels] of Object.entries({ width, height })) {
    if (pixels > resizeTo) {
      throw bad(`input.resizeTo is ${resizeTo}, and a ${side} of ${pixels} cannot be cut from it`)
    }
  }
}

function provenanceOf(
  input: InputDescription,
  given: InputOverride,
  { imageChannels, found }: Pick<RecognisedNetwork, 'imageChannels' | 'found'>,
): Record<string, Provenance> {
  const numbersGiven = given.scale !== undefined || given.offset !== undefined
  const isNumber = (key: string): boolean => ['range', 'mean', 'std'].includes(key)
  const isFound = (key: string): boolean =>
    (key === 'channels' && imageChannels === 1) ||
    ((key === 'width' || key === 'height') && found?.[key] !== undefined) ||
    (isNumber(key) && found?.isBytes === true)
  return Object.fromEntries(
    (Object.keys(input) as (keyof InputDescription)[]).map((key) => {
      if (given[key] !== undefined || (numbersGiven && isNumber(key))) return [`input.${key}`, 'given']
      return [`input.${key}`, isFound(key) ? 'found in the weights' : 'default']
    }),
  )
}
