import type { OutputLayer } from './family.ts'
import type { TrunkReader } from './trunkReader.ts'

/** A 3×3 convolution with its batch norm where there is one, its ReLU, and a 2×2 max pool where `pooled`. */
export interface VggConvolution {
  /** `features.0` */
  readonly name: string
  /** `features.1` */
  readonly norm: string | undefined
  readonly outs: number
  readonly pooled: boolean
}

export interface VggShape {
  readonly imageChannels: 1 | 3
  readonly convolutions: readonly VggConvolution[]
  /** The last activation is averaged to this height and width before the linear layers: 7, or 1. */
  readonly side: number
  /** Linear layers with a ReLU behind each, between the averages and the outputs: `classifier.0`, `classifier.3`. */
  readonly hidden: readonly string[]
  /** Numbers that the outputs take. */
  readonly features: number
}

/** Finds the VGG that weights in torchvision's names make up, and the outputs on it. Raises what the reader raises. */
export function findVggShape(
  reader: TrunkReader,
  epsilon: number,
): {
  readonly shape: VggShape
  readonly outputs: readonly OutputLayer[]
  readonly notes: readonly string[]
} {
  const { imageChannels } = reader.stem('features.0', 3)
  const convolutions = findConvolutions(reader, imageChannels, epsilon)
  const top = findTop(reader, convolutions.at(-1)?.outs ?? 0)
  const { outputs, notes } = reader.heads(top.features, top.trunk)
  const { side, hidden, features } = top
  return { shape: { imageChannels, convolutions, side, hidden, features }, outputs, notes }
}

/**
 * ReLUs and max pools have no weights, but they are counted in the names: between two convolutions there is room for a
 * ReLU, or for a ReLU and one thing more, which is a max pool in every VGG.
 */
function findConvolutions(reader: TrunkReader, imageChannels: number, epsilon: number): VggConvolution[] {
  const numbers = numbersIn(reader, /^features\.(\d{1,3})\./)
  const normed = reader.highest(/^features\.(\d{1,3})\.running_(?:mean|var)$/) !== undefined
  const biased = reader.has('features.0.bias')
  const convolutions: VggConvolution[] = []
  let channels = imageChannels
  for (let number: number | undefined = 0; number !== undefined;) {
    const name = `features.${number}`
    const { outs } = reader.convolution(name, [null, channels, 3, 3])
    if (biased) reader.shape(`${name}.bias`, [outs])
    const norm = normed ? `features.${number + 1}` : undefined
    if (norm !== undefined) reader.norm(norm, outs, epsilon)
    const relu: number = number + (normed ? 2 : 1)
    const next: number | undefined = numbers.find((other) => other >= relu)
    if (next !== undefined && next !== relu + 1 && next !== relu + 2) {
      throw reader.unsupported(
        `lacks features.${relu + 1} or features.${relu + 2}: after ${name} comes features.${next}`,
      )
    }
    // Nothing tells of the last max pool, which every VGG has.
    convolutions.push({ name, norm, outs, pooled: next !== relu + 1 })
    channels = outs
    number = next
  }
  return convolutions
}

interface Linear {
  readonly name: string
  readonly outs: number
  readonly ins: number
}

interface Top extends Pick<VggShape, 'side' | 'hidden' | 'features'> {
  /** Names that belong to layers before the outputs. */
  readonly trunk: RegExp
}

/**
 * What stands between the last of `channels` channels and the outputs. torchvision's `classifier` ends in an output, but a
 * pose network may put its heads where that stood, or leave the classifier aside and put them on the averages.
 */
function findTop(reader: TrunkReader, channels: number): Top {
  const linears = [...reader.weights].flatMap(([name, { shape }]): Linear[] => {
    const [outs = 0, ins = 0] = shape
    return name.endsWith('.weight') && shape.length === 2 ? [{ name: name.slice(0, -'.weight'.length), outs, ins }] : []
  })
  const numbers = numbersIn(reader, /^classifier\.(\d{1,2})\./)
  const classifier = numbers.map((number) => `classifier.${number}`)
  const beside = linears.filter(({ name }) => !classifier.includes(name))
  const last = linears.find(({ name }) => name === classifier.at(-1))
  const behind = beside.some(({ ins }) => ins === last?.outs)
  const averaged = beside.find(({ ins }) => sideOf(ins, channels) !== undefined)
  const aside = averaged !== undefined && !behind && !beside.some(({ ins }) => ins === last?.ins)
  if (classifier.length === 0 || aside) {
    const features = averaged?.ins ?? channels
    return { side: sideOf(features, channels) ?? 1, hidden: [], features, trunk: /^features\./ }
  }

  for (const [index, number] of numbers.entries()) {
    const before = numbers[index - 1]
    if (before === undefined || number === before + 2 || number === before + 3) continue
    throw reader.unsupported(
      `has classifier.${number} after classifier.${before}, where a ReLU and at most a dropout belong between`,
    )
  }
  const [first = ''] = classifier
  const ins = linears.find(({ name }) => name === first)?.ins
  if (ins === undefined) throw reader.missing(`${first}.weight`)
  const side = sideOf(ins, channels)
  if (side === undefined) {
    throw reader.unsupported(`has ${first} on ${ins} numbers, which no square of ${channels} channels gives`)
  }
  const hidden = behind ? classifier : classifier.slice(0, -1)
  let features = ins
  for (const name of hidden) features = reader.linear(name, features).outs
  const trunk = behind
    ? /^(?:features|classifier)\./
    : new RegExp(`^features\\.|^classifier\\.(?!${numbers.at(-1)}\\.)`)
  return { side, hidden, features, trunk }
}

/** The side of the square of averages that `features` numbers of so many channels are. */
function sideOf(features: number, channels: number): number | undefined {
  const side = Math.sqrt(features / channels)
  return Number.isInteger(side) && side > 0 ? side : undefined
}

/** What the first group of `pattern` says in the names, ascending. */
function numbersIn(reader: TrunkReader, pattern: RegExp): number[] {
  const numbers = [...reader.weights.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? [])
  return [...new Set(numbers.map(Number))].toSorted((a, b) => a - b)
}
