import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { InputError, SampleError } from '../../../base/errors.ts'
import { angleOrder, poseInName } from '../../../dataset/posedName.ts'
import { decodeImage, type DecodedImage } from '../../../image/codec.ts'
import { cropToInput } from '../../../image/crop.ts'
import { requireEncodedSize } from '../../../image/encodedSize.ts'
import { encodeNpy } from '../../../image/npy.ts'
import { drawOverlay } from '../../../image/overlay.ts'
import { encodePng } from '../../../image/png.ts'
import { angleError, angleNames, type AngleName, type Degrees, type Pose } from '../../../pose/euler.ts'
import { createExplainer } from '../../../saliency/explainer.ts'
import { checkObjectives, parseObjectives } from '../../../saliency/objective.ts'
import { pathOfFileUri } from '../../../storage/fileUri.ts'
import type { Call } from '../../command.ts'
import { readLocalFile, required } from '../../settings/commandFlags.ts'
import type { Settings } from '../../settings/optionSchema.ts'
import { refuseAbsentEngine } from '../../shared/computing.ts'
import { announcement, readNetworkFile } from '../../shared/networkFile.ts'
import { writeOutputFile } from '../../shared/outputFile.ts'
import { outputPaths, refuseOverwriting, type OutputPaths } from './explainOutputs.ts'

type Angles = Readonly<Record<AngleName, Degrees | null>>

/** What `explain --json` prints. The names are a contract: add, don't rename. */
interface ExplainResult extends OutputPaths {
  readonly image: string
  readonly network: { readonly file: string; readonly digest: string; readonly description: unknown }
  /** Degrees; null for an angle that the network has no head for. */
  readonly angles: Angles
  /** What the file name says, degrees; null when it says nothing. */
  readonly label: Pose | null
  readonly objective: string
  readonly scope: string
  readonly engine: string
}

/** Explains one image. Imports neither queue nor store (unless the image lies in one): it shall start at once. */
export async function explainImage(call: Call): Promise<number> {
  const { settings, surroundings } = call
  const [image = ''] = call.operands
  await refuseAbsentEngine(call)
  const networkPath = required(settings, 'network', 'explain')
  const objective = oneObjective(settings.objective)
  const paths = outputPaths(call, localPath(image))
  await refuseOverwriting(paths, { image: isInStore(image) ? null : localPath(image), network: networkPath })
  // Both are waited for together: reading the weights takes as long as a distant image.
  const [file, bytes] = await Promise.all([readNetworkFile(networkPath), readImage(image, call)])
  const { network } = file
  const { input, heads } = network.description
  checkObjectives([objective], heads)
  const decoded = await decode(image, bytes, settings)
  const cropped = cropToInput(decoded, null, input)
  const explainer = await createExplainer({
    network,
    objectives: [objective],
    scope: settings.scope,
    style: settings.style,
    gradients: paths.gradient !== null,
    batch: 1,
    engine: settings.engine,
    enginesFolder: call.folders.engines,
    intraOpThreads: availableParallelism(),
  })
  try {
    const [explanation] = await explainer.explain([cropped.pixels]).catch((error: unknown) => {
      throw asInputError(image, error)
    })
    const shown = explanation?.objectives[objective]
    if (!explanation || !shown) throw new Error(`the explainer gave nothing for the objective ${objective}`)
    const { width, height } = input
    if (paths.map) {
      await writeOutputFile(
        paths.map,
        await encodePng(shown.map, width, height, settings.style === 'origin' ? 3 : 1),
        '--map',
      )
    }
    const { gradient } = shown
    if (paths.gradient && gradient) {
      await writeOutputFile(paths.gradient, encodeNpy(gradient, [3, height, width], { dtype: 'float32' }), '--gradient')
    }
    if (paths.overlay) {
      // The same small map that the report's overlay is drawn from: single pixels of a gradient are speckle.
      const picture = drawOverlay(cropped.pixels, shown.magnitude, width, height)
      await writeOutputFile(paths.overlay, await encodePng(picture, width, height, 3), '--overlay')
    }
    const result: ExplainResult = {
      image,
      network: { file: network.file, digest: network.digest, description: network.description },
      angles: explanation.angles,
      label: poseInName(image, angleOrder(settings.filenameAngles)),
      objective,
      scope: settings.scope,
      ...paths,
      engine: explainer.engine,
    }
    // Only now that nothing is wrong with the call, as run does it.
    const note = announcement(network)
    if (note !== undefined) call.log.warn(note)
    surroundings.results.write(
      settings.json ? `${JSON.stringify(result)}\n` : explanationText(result, settings.filenameAngles),
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

function isInStore(image: string): boolean {
  return /^s3:/i.test(image)
}

function localPath(image: string): string {
  return /^file:/i.test(image) ? pathOfFileUri(image) : image
}

async function readImage(image: string, { settings }: Call): Promise<Uint8Array> {
  if (!isInStore(image)) {
    const path = localPath(image)
    // A file that cannot be looked at is told of by the reading.
    const found = await stat(path).catch(() => undefined)
    if (found) refuseHuge(image, found.size, settings)
    return readLocalFile(path, 'image')
  }
  const slash = image.lastIndexOf('/') + 1
  const key = image.slice(slash)
  if (key === '') throw new InputError('bad-uri', `${image} names a folder; explain takes one image`)
  const { openStore } = await import('../../../storage/open.ts')
  const store = openStore(image.slice(0, slash), { endpoint: settings.s3Endpoint })
  try {
    const listed = await store.head(key)
    if (listed) refuseHuge(image, listed.sizeBytes, settings)
    const found = listed && (await store.get(key))
    if (found) return found.bytes
    // Tells a missing bucket from a missing object.
    await store.check('read')
    throw new InputError('bad-option', `the image ${image} does not exist`)
  } finally {
    store.close()
  }
}

function refuseHuge(image: string, sizeBytes: number, { maxPixels }: Settings): void {
  try {
    requireEncodedSize(sizeBytes, maxPixels)
  } catch (error) {
    throw asInputError(image, error)
  }
}

/** A bad image is one failed record of a run, but here it is all that was asked for: the input's fault. */
async function decode(image: string, bytes: Uint8Array, settings: Settings): Promise<DecodedImage> {
  try {
    const { maxPixels, exifOrientation } = settings
    return await decodeImage(bytes, { maxPixels, applyExifOrientation: exifOrientation })
  } catch (error) {
    throw asInputError(image, error)
  }
}

function asInputError(image: string, error: unknown): unknown {
  return error instanceof SampleError
    ? new InputError(error.code, `${image}: ${error.message}`, { cause: error })
    : error
}

/** A small table: a row per angle, with the label and the error where the file name tells a pose. */
function explanationText(result: ExplainResult, angles: string): string {
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
  if (result.label) text += `label     from the file name, read as ${angles}\n`
  for (const what of ['map', 'gradient', 'overlay'] as const) {
    const path = result[what]
    if (path !== null) text += `${what.padEnd(8)}  ${path}\n`
  }
  return text
}
