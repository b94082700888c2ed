import { gradientOf } from './backward.ts'
import type { MapStyle, Relu6Rule, Scope } from './choices.ts'
import { decodeHeads } from './decode.ts'
import type { Graph, Node } from './graph.ts'
import { channelsOf, type InputDescription } from './networks/description.ts'
import { outputKey } from './networks/heads/kinds.ts'
import type { Network } from './networks/network.ts'
import { checkObjectives, readsClasses } from './objective.ts'
import { objectiveNode } from './objectiveNode.ts'
import { constant, make, scalar } from './ops.ts'
import { drawMap, magnitudeMap, statistics } from './picture.ts'
import { programNames } from './programNames.ts'
import { simplifyGradient, simplifyNetwork } from './simplify.ts'

export interface ProgramOptions {
  readonly objectives: readonly string[]
  readonly scope: Scope
  readonly relu6?: Relu6Rule | undefined
  readonly style: MapStyle
  readonly gradients: boolean
  /** Whether the number that each objective differentiates is given, too; not unless asked for. */
  readonly values?: boolean | undefined
  readonly batch: number
}

/**
 * The whole computation for a batch as one graph: pixels in; angles, maps and statistics out. InputError `bad-option` for an
 * objective that the network cannot have.
 */
export function buildProgram(network: Network, options: ProgramOptions): Graph {
  checkObjectives(options.objectives, network)
  const { input } = network.description
  const pixels = make('input', [], {
    name: programNames.pixels,
    shape: [options.batch, input.height, input.width, channelsOf(input.channels)],
    dtype: 'uint8',
  })
  const normalised = normalise(pixels, input)

  const raw = network.recognised.build(network.weights, normalised)
  const simpler = simplifyNetwork([...raw.values()])
  const outputs = new Map([...raw].map(([name, node]) => [name, simpler.get(node) ?? node]))
  const image = simpler.get(normalised) ?? normalised

  const heads = decodeHeads(network.description.heads, outputs)
  const results = new Map<string, Node>()
  for (const [angle, node] of heads.angles) results.set(programNames.angle(angle), node)
  for (const head of network.description.heads) {
    const node = outputs.get(head.output)
    if (node !== undefined) results.set(programNames.output(outputKey(head, network.description.heads)), node)
  }

  const { classes } = heads
  const labels =
    classes !== undefined && readsClasses(options.objectives)
      ? make('input', [], { name: programNames.labels, shape: classes.shape, dtype: 'float32' })
      : undefined
  for (const objective of options.objectives) {
    const node = objectiveNode(objective, heads, labels)
    const swept = gradientOf(node, image, options.scope, options.relu6)
    const gradient = inRgbOrder(swept, input.channels)
    results.set(programNames.map(objective), drawMap(gradient, options.style))
    results.set(programNames.statistics(objective), statistics(gradient))
    results.set(programNames.magnitude(objective), magnitudeMap(gradient))
    if (options.gradients) results.set(programNames.gradient(objective), gradient)
    if (options.values === true) results.set(programNames.value(objective), node)
  }
  const final = simplifyGradient([...results.values()])
  return { outputs: new Map([...results].map(([name, node]) => [name, final.get(node) ?? node])) }
}

/**
 * uint8 N×H×W×C → float32 N×C×H×W: (pixel / 255 · range − mean) / std, in the network's channel order. With `min-max`
 * (x − min) / (max − min) stands for pixel / 255, over all of an image; an image of one value only gives 0, as
 * `cv2.normalize` does. The map's gradient is with respect to the result, so none flows through min and max.
 */
function normalise(pixels: Node, input: InputDescription): Node {
  const planar = make('transpose', [make('cast', [pixels], { to: 'float32' })], { permutation: [0, 3, 1, 2] })
  const ordered = inRgbOrder(planar, input.channels)
  const isMinMax = input.normalise === 'min-max'
  const unit = isMinMax ? betweenExtremes(ordered) : ordered
  const scale = input.std.map((std) => input.range / (isMinMax ? 1 : 255) / std)
  const shift = input.std.map((std, c) => -(input.mean[c] ?? 0) / std)
  return make('affine', [unit, constant(scale, [scale.length]), constant(shift, [shift.length])], {}, 'normalise')
}

/** (x − min) / (max − min) of each image. */
function betweenExtremes(x: Node): Node {
  const axes = [1, 2, 3]
  const negatedMin = make('reduceMax', [make('mul', [x, scalar(-1)])], { axes })
  const spread = make('add', [make('reduceMax', [x], { axes }), negatedMin])
  // Pixels are whole numbers: a spread below 1 is one of 0.
  return make('div', [make('add', [x, negatedMin]), make('clip', [spread], { min: 1, max: 255 })])
}

/** Exchanges the first and the third channel of a BGR network's N×3×H×W; its own inverse. */
function inRgbOrder(x: Node, channels: InputDescription['channels']): Node {
  if (channels !== 'bgr') return x
  const planes = [2, 1, 0].map((c) => make('slice', [x], { axis: 1, start: c, end: c + 1 }))
  return make('concat', planes, { axis: 1 })
}
