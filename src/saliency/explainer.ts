import { HeadlightError, PlaceError, SampleError } from '../base/errors.ts'
import { angleNames, type AngleName, type Degrees } from '../pose/euler.ts'
import type { MapStyle, Relu6Rule, Scope } from './choices.ts'
import type { Executor, KeptGraph, OpenExecutor, TensorData } from './engines/engine.ts'
import { findEngine, findKeptEngine } from './engines/openEngine.ts'
import { topological, type Graph, type Shape } from './graph.ts'
import { checkKnownAnswer } from './knownAnswer.ts'
import { channelsOf, type InputDescription } from './networks/description.ts'
import type { Network } from './networks/network.ts'
import { magnitudeSide } from './picture.ts'
import { programNames } from './programNames.ts'

export interface ExplainerOptions {
  readonly network: Network
  /** Expanded objective names, see objective.ts: `sum`, `yaw`, `-yaw`, `yaw:top`, `yaw:bin:N`, `class:N`, `output:N` … */
  readonly objectives: readonly string[]
  readonly scope: Scope
  /** Guided unless given. */
  readonly relu6?: Relu6Rule | undefined
  readonly style: MapStyle
  /** Whether raw gradients are handed out too. */
  readonly gradients: boolean
  /** Whether the objectives' own numbers are handed out too; not unless asked for. */
  readonly values?: boolean | undefined
  /** Images per engine call; smaller last batches are padded. Minimum 1. */
  readonly batch: number
  /** One of `engineChoices`. Raises InputError `bad-engine` otherwise. */
  readonly engine: string
  /** Where `headlight engine install` puts engines; without it those cannot be used. */
  readonly enginesFolder?: string | undefined
  /** Threads inside one engine call. 1 in a unit that owns one core. Minimum 1. */
  readonly intraOpThreads: number
  /** The program by what it is made of, where it may be kept compiled, see `keptProgram`. */
  readonly kept?: KeptGraph | undefined
}

/** What is to be known of a network whose program was kept. */
export type KeptExplainerOptions = Omit<ExplainerOptions, 'network' | 'kept'> & {
  readonly input: InputDescription
  readonly kept: KeptGraph
}

/** What one objective shows for one image. */
export interface ObjectiveExplanation {
  /** 8-bit picture: height × width × 3 (style origin) or height × width (style magnitude), row-major. */
  readonly map: Uint8Array
  /** 3 × height × width, RGB, or 1 × height × width for gray, degrees per unit of normalised input; null unless asked for. */
  readonly gradient: Float32Array | null
  /** What is differentiated, degrees of an angle, else as the network gives it; absent unless asked for. */
  readonly value?: number
  /** Mean, population standard deviation and max |g| over all channels and pixels. */
  readonly mean: number
  readonly std: number
  readonly maxAbs: number
  /** 28 × 28, max over channels of |g|, area-averaged, unit sum. */
  readonly magnitude: Float32Array
}

export interface Explanation {
  /** Null for an angle that the network has no head for. */
  readonly angles: Readonly<Record<AngleName, Degrees | null>>
  /** Raw outputs per head: logits of a binned head, one number of a value head. For their keys see `outputKey`. */
  readonly outputs: Readonly<Record<string, Float32Array>>
  /** By objective name, in the order of the options. */
  readonly objectives: Readonly<Record<string, ObjectiveExplanation>>
}

/** An image for which not all numbers are finite, and the first of them that is not, e.g. `yaw`. */
export interface NotFinite {
  readonly notFinite: string
}

/** A network with its objectives, compiled for one engine. Calls must not overlap; every call blocks its thread. */
export interface Explainer {
  /** Engine and provider, e.g. `onnxruntime:cpu`. */
  readonly engine: string
  readonly batch: number
  /** Bytes of one image: height × width × 3, RGB, or × 1 for gray, 8 bit, already resized and cropped. */
  readonly imageBytes: number
  /**
   * At most `batch` images; with an objective `class:label` also the class of each, from 0. Without one, as where only
   * memory and speed count, its objective is 0 and so is its gradient. An image for which the network gives NaN or infinity
   * spoils no other. Raises PlaceError `engine-wrong` when the engine fails, or gives such a number and misses its known
   * answer, too.
   */
  explainEach(images: readonly Uint8Array[], classes?: readonly number[]): Promise<(Explanation | NotFinite)[]>
  /** The same, but raises SampleError `not-finite` when one of the images is such a one. */
  explain(images: readonly Uint8Array[], classes?: readonly number[]): Promise<Explanation[]>
  dispose(): Promise<void>
}

/**
 * Raises InputError `bad-engine` or `bad-option` (an objective that this network cannot have), PlaceError `engine-wrong`
 * when the engine cannot open the network, for want of memory for instance.
 */
export async function createExplainer(options: ExplainerOptions): Promise<Explainer> {
  const { network, engine, kept, intraOpThreads } = options
  const openExecutor = await findEngine(engine, options.enginesFolder)
  const { input } = network.description
  // Of several units one keeps it, perhaps by now.
  const found = kept && (await openKeptExplainer({ ...options, input, kept }))
  if (found !== undefined) return found
  const { buildProgram } = await import('./program.ts')
  const graph = buildProgram(network, options)
  const executor = await openExecutor(graph, { intraOpThreads, kept }).catch((error: unknown) => {
    throw asEngineFault(error, engine)
  })
  return explainerOf({ executor, openExecutor, input, labels: inputShape(graph, programNames.labels) }, options)
}

/**
 * The same without the network, of a program that an engine has kept compiled: undefined where it has not. Raises
 * InputError `bad-engine`.
 */
export async function openKeptExplainer(options: KeptExplainerOptions): Promise<Explainer | undefined> {
  const { engine, enginesFolder, kept, intraOpThreads, input } = options
  const openKept = await findKeptEngine(engine)
  const executor = await openKept?.(kept, { intraOpThreads })
  if (executor === undefined) return undefined
  const openExecutor = await findEngine(engine, enginesFolder)
  return explainerOf({ executor, openExecutor, input, labels: executor.inputs.get(programNames.labels) }, options)
}

interface Opened {
  readonly executor: Executor
  readonly openExecutor: OpenExecutor
  readonly input: InputDescription
  /** Of the classes that an objective reads. */
  readonly labels: Shape | undefined
}

function explainerOf(
  { executor, openExecutor, input, labels }: Opened,
  options: Omit<ExplainerOptions, 'network' | 'kept'>,
): Explainer {
  const { width, height, channels } = input
  const imageBytes = width * height * channelsOf(channels)
  const explainEach: Explainer['explainEach'] = async (images, classes = []): Promise<(Explanation | NotFinite)[]> => {
    const pixels = pixelsOf(images, options.batch, imageBytes, executor.engine)
    const inputs = new Map<string, TensorData>([[programNames.pixels, pixels]])
    if (labels !== undefined) inputs.set(programNames.labels, oneHotRows(classes, labels))
    const results = await executor.run(inputs).catch((error: unknown) => {
      throw asEngineFault(error, executor.engine)
    })
    const explained = images.map((_, index) => explanationOf(new Row(results, index, options.batch), options))
    // Whose fault is it? A device that breaks midway gives NaN for a built-in network, too. Asked each time, since it may
    // break at any time; it takes some forty milliseconds.
    if (explained.some((one) => 'notFinite' in one)) await checkKnownAnswer(openExecutor)
    return explained
  }
  return {
    engine: executor.engine,
    batch: options.batch,
    imageBytes,
    explainEach,
    async explain(images, classes) {
      return (await explainEach(images, classes)).map((explained) => {
        if ('notFinite' in explained) throw notFiniteError(explained)
        return explained
      })
    },
    dispose: () => executor.dispose(),
  }
}

/** Short batches are padded with black images: the graph's batch is fixed, and an image's result never depends on others. */
function pixelsOf(images: readonly Uint8Array[], batch: number, imageBytes: number, engine: string): Uint8Array {
  if (images.length > batch) throw new Error(`${images.length} images do not fit a batch of ${batch}`)
  const pixels = bytesOf(batch * imageBytes, engine)
  images.forEach((image, index) => {
    if (image.length !== imageBytes) throw new Error(`an image has ${image.length} bytes instead of ${imageBytes}`)
    pixels.set(image, index * imageBytes)
  })
  return pixels
}

/** A row of zeros with a one at the class of each image. */
function oneHotRows(classes: readonly number[], [rows = 0, count = 0]: Shape): Float32Array {
  const labels = new Float32Array(rows * count)
  classes.forEach((index, row) => {
    if (row >= rows || index >= count) throw new Error(`class ${index} of image ${row} does not fit ${rows}×${count}`)
    labels[row * count + index] = 1
  })
  return labels
}

/** Undefined where the graph has no such input. */
function inputShape(graph: Graph, name: string): Shape | undefined {
  const inputs = topological(graph.outputs.values()).filter((node) => node.op === 'input')
  return inputs.find(({ attributes }) => attributes.name === name)?.shape
}

/** JavaScript has no array of more than some gigabytes, whatever memory there is; as a mere error it would blame the shard. */
function bytesOf(length: number, engine: string): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch (error) {
    throw asEngineFault(error, engine)
  }
}

/**
 * What an engine raises by itself. The graph and the form of its input were checked, so it is never the image's fault: memory
 * is out, or the device is lost, and then every later call fails too. As a mere error it would cost each shard that the
 * worker pulls all its attempts, and quickly.
 */
function asEngineFault(error: unknown, engine: string): HeadlightError {
  if (error instanceof HeadlightError) return error
  const [what = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return new PlaceError(
    'engine-wrong',
    `the engine ${engine} failed (${what}): check the device (headlight doctor), give a smaller --batch or use another --engine`,
    { cause: error },
  )
}

/** One image's share of the batched results. */
class Row {
  readonly #results: ReadonlyMap<string, TensorData>
  readonly #index: number
  readonly #batch: number

  constructor(results: ReadonlyMap<string, TensorData>, index: number, batch: number) {
    this.#results = results
    this.#index = index
    this.#batch = batch
  }

  names(prefix: string): string[] {
    return [...this.#results.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  }

  floats(name: string): Float32Array {
    const data = this.#share(name)
    if (!(data instanceof Float32Array)) throw new Error(`${name} is not float32`)
    return data
  }

  bytes(name: string): Uint8Array {
    const data = this.#share(name)
    if (!(data instanceof Uint8Array)) throw new Error(`${name} is not uint8`)
    return data
  }

  /** A copy, since the batch's buffer belongs to the engine and copies can be handed to other threads. */
  #share(name: string): TensorData {
    const data = this.#results.get(name)
    if (data === undefined) throw new Error(`the engine gave no ${name}`)
    const length = data.length / this.#batch
    return data.slice(this.#index * length, (this.#index + 1) * length)
  }
}

/** Says nothing of the engine: the record of an image must not depend on where it was computed. */
export function notFiniteError({ notFinite }: NotFinite): SampleError {
  return new SampleError(
    'not-finite',
    `the network gives NaN or infinity for the ${notFinite} of this image; look at the image and at the network's weights`,
  )
}

function explanationOf(
  row: Row,
  { objectives, gradients, values }: Pick<ExplainerOptions, 'objectives' | 'gradients' | 'values'>,
): Explanation | NotFinite {
  const known = new Set(row.names('angle/'))
  const angles = Object.fromEntries(
    angleNames.map((angle) => [angle, known.has(angle) ? numberAt(row.floats(programNames.angle(angle)), 0) : null]),
  ) as Record<AngleName, Degrees | null>
  const outputs = Object.fromEntries(row.names('output/').map((name) => [name, row.floats(programNames.output(name))]))
  const explained = objectives.map((objective) => {
    const statistics = row.floats(programNames.statistics(objective))
    const magnitude = row.floats(programNames.magnitude(objective))
    if (magnitude.length !== magnitudeSide ** 2) throw new Error(`the magnitude map has ${magnitude.length} values`)
    const explanation: ObjectiveExplanation = {
      map: row.bytes(programNames.map(objective)),
      gradient: gradients ? row.floats(programNames.gradient(objective)) : null,
      ...(values === true ? { value: numberAt(row.floats(programNames.value(objective)), 0) } : {}),
      mean: numberAt(statistics, 0),
      std: numberAt(statistics, 1),
      maxAbs: numberAt(statistics, 2),
      magnitude,
    }
    return [objective, explanation] as const
  })
  const explanation: Explanation = { angles, outputs, objectives: Object.fromEntries(explained) }
  const notFinite = firstNotFinite(explanation)
  return notFinite === undefined ? explanation : { notFinite }
}

function numberAt(values: Float32Array, index: number): number {
  const value = values[index]
  if (value === undefined) throw new Error('the engine gave too few numbers')
  return value
}

/** Of what is written of an image. A gradient that is not finite shows in its statistics. */
function firstNotFinite({ angles, outputs, objectives }: Explanation): string | undefined {
  const angle = angleNames.find((name) => angles[name] !== null && !Number.isFinite(angles[name]))
  if (angle !== undefined) return angle
  const output = Object.entries(outputs).find(([, values]) => !values.every(Number.isFinite))
  if (output !== undefined) return `output ${output[0]}`
  const valued = Object.entries(objectives).find(([, { value = 0 }]) => !Number.isFinite(value))
  if (valued !== undefined) return `number of ${valued[0]}`
  const objective = Object.entries(objectives).find(
    ([, { mean, std, maxAbs, magnitude }]) =>
      ![mean, std, maxAbs].every(Number.isFinite) || !magnitude.every(Number.isFinite),
  )
  return objective && `gradient of ${objective[0]}`
}
