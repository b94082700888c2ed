import { extname } from 'node:path'
import { InputError } from '../base/errors.ts'
import type { DescriptionOverride } from '../saliency/networks/description.ts'
import type { NetworkFolder } from './networkFolder.ts'
import { withStatistics } from './statisticsBeside.ts'

export interface DescriptionBeside {
  /** As `loadNetwork` takes it; undefined where no file describes the network. */
  readonly override: unknown
  /** How people find that file. */
  readonly file: string | null
  /** Sentences about files that are not read though they may have been meant. */
  readonly notes: readonly string[]
}

/**
 * What the file `<network>.yaml` beside a network says. InputErrors: `bad-description` for one that cannot be read, or for
 * a description under a name that nothing reads.
 */
export async function readDescriptionBeside(folder: NetworkFolder): Promise<DescriptionBeside> {
  const name = `${folder.file}.yaml`
  const text = await folder.get(name)
  const file = text === undefined ? null : folder.placeOf(name)
  const override =
    text && (await withStatistics(await parsed(text, folder.placeOf(name)), folder.placeOf(name), folder))
  const notes: string[] = []
  for (const other of misnamed(folder.file)) {
    if (!(await isThere(folder, other))) continue
    const meant = `did you mean ${name}?`
    if (text === undefined && (await describes(folder, other))) {
      throw new InputError(
        'bad-description',
        `${folder.placeOf(other)} describes a network, but no file of this name is read: ${meant} Rename it, or move it away`,
      )
    }
    notes.push(`${other} beside the network is not read; ${meant}`)
  }
  return { override, file, notes }
}

/**
 * Names that a description is given by mistake: the other ending, or that of the network left out. Not `model.onnx.yaml`
 * beside `model.onnx.data`: it is the right one of `model.onnx`.
 */
function misnamed(file: string): string[] {
  const bare = file.slice(0, file.length - extname(file).length)
  const others = bare === file || bare.endsWith('.onnx') ? [] : [`${bare}.yaml`, `${bare}.yml`]
  return [`${file}.yml`, ...others]
}

/** Asked beside what was asked for: a refusal of this alone (a right to two objects only) must not end the reading. */
async function isThere(folder: NetworkFolder, name: string): Promise<boolean> {
  try {
    return await folder.has(name)
  } catch {
    return false
  }
}

/** A file of YAML that a training script left is none. */
async function describes(folder: NetworkFolder, name: string): Promise<boolean> {
  try {
    const text = await folder.get(name)
    return text !== undefined && Object.keys(await parsed(text, name)).length > 0
  } catch {
    return false
  }
}

async function parsed(text: Uint8Array, file: string): Promise<DescriptionOverride> {
  const { parseDescription } = await import('../saliency/networks/descriptionFile.ts')
  return parseDescription(Buffer.from(text).toString('utf8'), file)
}
