import { availableParallelism } from 'node:os'
import { InputError, SampleError } from '../../../base/errors.ts'
import type { Box, Truth } from '../../../dataset/adapter.ts'
import type { AdapterOptions } from '../../../dataset/adapters.ts'
import { requireClass } from '../../../dataset/classIndex.ts'
import { decodeImage } from '../../../image/codec.ts'
import { cropToInput, type CropRule } from '../../../image/crop.ts'
import { grayToRgb } from '../../../image/gray.ts'
import { encodeNpy } from '../../../image/npy.ts'
import { drawOverlay } from '../../../image/overlay.ts'
import { encodePng } from '../../../image/png.ts'
import { processorFeatures } from '../../../machine/processor.ts'
import { angleError, angleNames, type AngleName, type Degrees, type Pose } from '../../../pose/euler.ts'
import { KeptModels, keptModelsIn } from '../../../saliency/engines/keptModels.ts'
import { createExplainer } from '../../../saliency/explainer.ts'
import { countActivations, guidanceText, requireGuided, type ActivationCount } from '../../../saliency/guidance.ts'
import { keptProgram } from '../../../saliency/keptProgram.ts'
import { channelsOf, classesOf, givesAngles } from '../../../saliency/networks/description.ts'
import type { Network } from '../../../saliency/networks/network.ts'
import { checkObjectives, parseObjective, parseObjectives, readsClasses } from '../../../saliency/objective.ts'
import type { Call } from '../../command.ts'
import { required } from '../../settings/commandFlags.ts'
import type { Settings } from '../../settings/optionSchema.ts'
import { refuseAbsentEngine } from '../../shared/computing.ts'
import { uselessRelu6 } from '../../shared/guidedOptions.ts'
import { announcements, filesOf, givenNetwork } from '../../shared/networkFile.ts'
import { requireSuffix, writeOutputFile } from '../../shared/outputFile.ts'
import { boxOf } from './boxOption.ts'
import { classTable, explainedClasses, type ExplainedClasses } from './classScores.ts'
import { outputPaths, refuseOverwriting, type OutputPaths } from './explainOutputs.ts'
import { asInputError, isInStore, localPath, locateImage } from './locateImage.ts'
import { outputNumber, type OutputNumber } from './outputNumber.ts'

type Angles = Readonly<Record<AngleName, Degrees | null>>

/** What `explain --json` prints. The names are a contract: add, don't rename. */
interface ExplainResult extends OutputPaths {
  readonly image: string
  /** `externalData`: only of an ONNX network that keeps its weights in a second file. */
  readonly network: Pick<Network, 'file' | 'digest' | 'externalData'> & { readonly description: unknown }
  /** Degrees; null for an angle that the network has no head for. */
  readonly angles: Angles
  /** What the adapter or the file name says, degrees; null when it says nothing. */
  readonly label: Pose | null
  readonly adapter: AdapterOptions
  /** The part of the image that the network was to see, image pixels; null for all of it. */
  readonly box: Box | null
  /** What it saw of the image, fractional image pixels. */
  readonly crop: readonly [number, number, number, number]
  readonly objective: string
  /** Of the image, by the index; only with the objective `class:label`. */
  readonly class?: number
  /** Only of a network of classes: what it says of the likeliest, and of the one that is explained. */
  readonly classes?: ExplainedClasses
  /** Only with an objective `output:N`: the number itself. */
  readonly output?: OutputNumber
  readonly scope: string
  /** Absent where ReLU6 is guided, as it is by default. */
  readonly relu6?: 'plain'
  /** By kind: how many there are, and how many of them are guided. */
  readonly activations: readonly ActivationCount[]
  readonly engine: string
}

/** Explains one image. Imports neither queue nor store (unless the image lies in one): it shall start at once. */
export async function explainImage(call: Call): Promise<number> {
  const { surroundings } = call
  const [image = ''] = call.operands
  const { box: givenBox, settings } = boxOf(call.flags, call.settings)
  await refuseAbsentEngine(call)
  const networkPath = required(settings, 'network', 'explain')
  const objective = oneObjective(settings.objective)
  const located = await locateImage(image, settings)
  const { face } = located
  const paths = outputPaths(call, located.path ?? image.slice(0, image.length - face.length), face)
  const read = async () => {
    try {
      await refuseOverwriting(paths, {
        image: located.path,
        network: isInStore(networkPath) ? null : localPath(networkPath),
      })
      for (const name of ['map', 'gradient', 'overlay'] as const) {
        if (paths[name] !== null) requireSuffix(paths[name], name === 'gradient' ? '.npy' : '.png', `--${name}`)
      }
      // Both are waited for together: reading the weights takes as long as a distant image.
      return await Promise.all([givenNetwork(call, networkPath), located.read()])
    } finally {
      located.close()
    }
  }
  const [file, { bytes, truth, labelFault }] = await read()
  const { network } = file
  const { input } = network.description
  checkObjectives([objective], network)
  const guidance = { scope: settings.scope, relu6: settings.relu6 }
  const activations = countActivations(network, guidance)
  requireGuided(activations, guidance, network.file)
  const box = givenBox ?? truth.box
  const ownClass = readsClasses([objective]) ? classOf(image, truth, classesOf(network.description)) : undefined
  const cropped = await seen(image, bytes, box, input, settings)
  const program = {
    network,
    objectives: [objective],
    ...guidance,
    style: settings.style,
    gradients: paths.gradient !== null,
    values: parseObjective(objective)?.kind === 'output',
    batch: 1,
  }
  const models = new KeptModels(keptModelsIn(call.folders.cache), (sentence) => call.log.debug(sentence))
  const explainer = await createExplainer({
    ...program,
    kept: keptProgram(models, { ...program, processor: processorFeatures() }),
    engine: settings.engine,
    enginesFolder: call.folders.engines,
    intraOpThreads: availableParallelism(),
  })
  try {
    const [explanation] = await explainer
      .explain([cropped.pixels], ownClass === undefined ? [] : [ownClass])
      .catch((error: unknown) => {
        throw asInputError(image, error)
      })
    const shown = explanation?.objectives[objective]
    if (!explanation || !shown) throw new Error(`the explainer gave nothing for the objective ${objective}`)
    const { width, height } = input
    const channels = channelsOf(input.channels)
    if (paths.map) {
      await writeOutputFile(
        paths.map,
        await encodePng(shown.map, width, height, settings.style === 'origin' ? 3 : 1),
        '--map',
      )
    }
    const { gradient } = shown
    if (paths.gradient && gradient) {
      await writeOutputFile(
        paths.gradient,
        encodeNpy(gradient, [channels, height, width], { dtype: 'float32' }),
        '--gradient',
      )
    }
    if (paths.overlay) {
      // The same small map that the report's overlay is drawn from: single pixels of a gradient are speckle.
      const picture = drawOverlay(
        channels === 1 ? grayToRgb(cropped.pixels) : cropped.pixels,
        shown.magnitude,
        width,
        height,
      )
      await writeOutputFile(paths.overlay, await encodePng(picture, width, height, 3), '--overlay')
    }
    const output = outputNumber(objective, network.recognised.outputs, shown.value)
    const logits = givesAngles(network.description) ? undefined : explanation.outputs['classes']
    const result: ExplainResult = {
      image,
      network: { ...filesOf(network), description: network.description },
      angles: explanation.angles,
      label: truth.pose,
      adapter: located.adapter,
      box,
      crop: cropped.crop,
      objective,
      ...(ownClass === undefined ? {} : { class: ownClass }),
      ...(logits === undefined ? {} : { classes: explainedClasses(logits, objective, ownClass) }),
      ...(output === undefined ? {} : { output }),
      scope: settings.scope,
      ...(settings.relu6 === 'guided' ? {} : { relu6: settings.relu6 }),
      activations,
      ...paths,
      engine: explainer.engine,
    }
    // Only now that nothing is wrong with the call, as run does it.
    for (const sentence of await announcements(file)) call.log.warn(`${network.file}: ${sentence}`)
    const useless = uselessRelu6(guidance, activations, network)
    if (useless !== undefined) call.log.warn(useless)
    if (labelFault !== undefined) call.log.warn(`the label is not used: ${labelFault}`)
    const how = guidanceText(activations, guidance)
    const sources = { label: located.source, box: givenBox === null ? located.source : '--box' }
    surroundings.results.write(
      settings.json ? `${JSON.stringify(result)}\n` : explanationText(result, how, sources, logits?.length),
    )
    return 0
  } finally {
    await explainer.dispose()
  }
}

function oneObjective(objective: string | string[]): string {
  const names = parseObjectives([objective].flat().join(','))
  const [name, ...more] = names
  if (name === undefined || more.length > 0) {
    throw new InputError(
      'bad-option',
      `explain takes one objective at a time, but --objective names ${names.join(', ')}`,
    )
  }
  return name
}

/** An image has one class at most, so that no option names it: who knows it may explain it as `class:N`. */
function classOf(image: string, truth: Truth, classes: number): number {
  try {
    return requireClass(truth, classes)
  } catch (error) {
    if (!(error instanceof SampleError)) throw error
    const advice = 'name the class itself, --objective class:N, or the index and its column, --columns class=COLUMN'
    throw new InputError('bad-option', `${image} cannot be explained as class:label; ${advice} (${error.message})`)
  }
}

/** The image, and what of it the network sees. */
async function seen(image: string, bytes: Uint8Array, box: Box | null, rule: CropRule, settings: Settings) {
  try {
    const { maxPixels, exifOrientation } = settings
    const decoded = await decodeImage(bytes, { maxPixels, applyExifOrientation: exifOrientation })
    return cropToInput(decoded, box, rule)
  } catch (error) {
    throw asInputError(image, error)
  }
}

/** A small table, of classes or of angles, or the number that was asked for; then where the labels and the box are from. */
function explanationText(
  result: ExplainResult,
  guidance: string,
  sources: { readonly label: string; readonly box: string },
  classCount = 0,
): string {
  const { classes, output, objective } = result
  const text =
    classes === undefined ? angleTable(result) : output === undefined ? classTable(classes, objective, classCount) : ''
  const rows: [string, string][] = []
  // Beside angles, but in place of classes: who asks for a number, as of a landmark, has none.
  if (output !== undefined) rows.push([objective.replace(/^-/, ''), String(Number(output.value.toPrecision(6)))])
  if (classes === undefined && result.label) rows.push(['label', `from ${sources.label}`])
  const { box } = result
  const { adapter } = result
  // Whose adapter tells of boxes and gives none need not be told to give one.
  const advice = adapter.name === 'images' ? '--adapter or --box' : `${sources.box} names no box; --box`
  rows.push([
    'box',
    box === null
      ? `none: the network sees the whole image (${advice} shows it a part, as a run may)`
      : `${[box.x0, box.y0, box.x1, box.y1].map((side) => Number(side.toFixed(1))).join(', ')}, from ${sources.box}`,
  ])
  if (result.class !== undefined) rows.push(['class', `${result.class}, from ${sources.label}`])
  rows.push(['activations', guidance])
  for (const what of ['map', 'gradient', 'overlay'] as const) {
    const path = result[what]
    if (path !== null) rows.push([what, path])
  }
  return text + rows.map(([name, value]) => `${name.padEnd(11)} ${value}\n`).join('')
}

/** A row per angle, with label and error where there is a label. */
function angleTable(result: ExplainResult): string {
  const cell = (value: number | null): string => (value === null ? '–' : value.toFixed(2)).padStart(10)
  const header = result.label ? ['estimate', 'label', 'error'] : ['estimate']
  let text = `${'degrees'.padEnd(8)}${header.map((name) => name.padStart(10)).join('')}\n`
  for (const name of angleNames) {
    const estimate = result.angles[name]
    const cells = [cell(estimate)]
    if (result.label) {
      const label = result.label[name]
      cells.push(cell(label), cell(estimate === null ? null : angleError(estimate, label)))
    }
    text += `${name.padEnd(8)}${cells.join('')}\n`
  }
  return text
}
