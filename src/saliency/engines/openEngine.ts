import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../base/errors.ts'
import type { OpenExecutor, OpenKeptExecutor } from './engine.ts'
import { tfjsPackage, type TfjsAddon } from './tfjsAddon.ts'
import { findTfjsPeer } from './tfjsPeer.ts'

/** Engines by their whole name, `<library>:<provider or backend>`. */
export const engineNames = [
  'onnxruntime:cpu',
  'onnxruntime:cuda',
  'onnxruntime:webgpu',
  'tfjs:tensorflow',
  'tfjs:wasm',
  'reference',
] as const

export type EngineName = (typeof engineNames)[number]

/** What else people may say. `auto` here is what runs everywhere; who has looked at the machine chooses better. */
const shortNames = { auto: 'onnxruntime:cpu', onnxruntime: 'onnxruntime:cpu', tfjs: 'tfjs:tensorflow' } as const

/** Everything that can be given as `--engine`. */
export const engineChoices = ['auto', 'onnxruntime', 'tfjs', ...engineNames] as const

/** What `headlight engine install` puts into the folder for engines, and the file that stands there once it is whole. */
export const installations = {
  tfjs: { folder: 'tfjs', mark: 'installed.json', engine: 'tfjs:tensorflow' },
  cuda: { folder: 'onnxruntime-cuda', mark: 'installed.json', engine: 'onnxruntime:cuda' },
} as const

export type InstallationName = keyof typeof installations

// Loaded on demand, so that whoever needs one engine pays for no other's native library.
const loaders: { readonly [K in EngineName]: (enginesFolder: string | undefined) => Promise<OpenExecutor> } = {
  'onnxruntime:cpu': async () => (await import('./onnxruntime.ts')).openOnnxRuntime('cpu'),
  'onnxruntime:cuda': async (folder) => {
    const installed = installedFolder('cuda', folder)
    return (await import('./onnxruntime.ts')).openOnnxRuntime('cuda', installed)
  },
  'onnxruntime:webgpu': async () => (await import('./onnxruntime.ts')).openOnnxRuntime('webgpu'),
  'tfjs:tensorflow': async (folder) => {
    const addon = tfjsAddon(folder)
    return (await import('./tfjsTensorflow.ts')).openTfjsTensorflow(addon)
  },
  'tfjs:wasm': async () => (await import('./tfjsWasm.ts')).openTfjsWasm,
  reference: async () => (await import('./reference.ts')).openReference,
}

/** Raises InputError `bad-engine` for a name that there is not. */
export function wholeEngineName(name: string): EngineName {
  const whole = name in shortNames ? shortNames[name as keyof typeof shortNames] : name
  const found = engineNames.find((known) => known === whole)
  if (found !== undefined) return found
  throw new InputError('bad-engine', `engine "${name}" cannot run here: use one of ${engineChoices.join(', ')}`)
}

/**
 * `enginesFolder` is where `headlight engine install` puts engines. Raises InputError `bad-engine` for a name that there
 * is not and for an engine that must be installed first.
 */
export async function findEngine(name: string, enginesFolder?: string): Promise<OpenExecutor> {
  return loaders[wholeEngineName(name)](enginesFolder)
}

/** Undefined for an engine that keeps no graphs. */
export async function findKeptEngine(name: string): Promise<OpenKeptExecutor | undefined> {
  return wholeEngineName(name) === 'onnxruntime:cpu'
    ? (await import('./onnxruntime.ts')).openKeptOnnxRuntime
    : undefined
}

/** Raises InputError `bad-engine` for an engine, by any of its names, that must be installed first and is not. */
export function requireInstalled(name: string, enginesFolder: string): void {
  const engine = wholeEngineName(name)
  if (engine === 'tfjs:tensorflow') tfjsAddon(enginesFolder)
  else if (engine === 'onnxruntime:cuda') installedFolder('cuda', enginesFolder)
}

/** Whether it is there, or comes with headlight. */
export function isInstalled(engine: EngineName, enginesFolder: string): boolean {
  return installationOf(engine) === undefined || sourceOf(engine, enginesFolder) !== null
}

/** Where an engine that does not come with headlight was found. */
export interface EngineSource {
  /** `headlight` tested what it installed; of a package that somebody put beside it nothing is known. */
  readonly installedBy: 'headlight' | 'others'
  /** For people. */
  readonly origin: string
}

/** Null for an engine that comes with headlight, and for one that is not there. */
export function sourceOf(engine: EngineName, enginesFolder: string): EngineSource | null {
  const installation = installationOf(engine)
  if (installation === undefined) return null
  const peer = installation === 'tfjs' ? findTfjsPeer() : null
  if (isWhole(installation, enginesFolder)) {
    const passedOver = peer === null ? '' : `, which is taken before ${peer.name} beside headlight`
    return { installedBy: 'headlight', origin: `installed by headlight engine install ${installation}${passedOver}` }
  }
  return peer?.hasAddon === true ? { installedBy: 'others', origin: `${peer.name} beside headlight` } : null
}

/** Undefined for an engine that comes with headlight. */
function installationOf(engine: EngineName): InstallationName | undefined {
  return (Object.keys(installations) as InstallationName[]).find((name) => installations[name].engine === engine)
}

function isWhole(name: InstallationName, enginesFolder: string | undefined): enginesFolder is string {
  const { folder, mark } = installations[name]
  return enginesFolder !== undefined && existsSync(join(enginesFolder, folder, mark))
}

function installedFolder(name: InstallationName, enginesFolder: string | undefined): string {
  if (isWhole(name, enginesFolder)) return join(enginesFolder, installations[name].folder)
  throw notInstalled(name, '')
}

/** What headlight installed, else what is beside it. */
function tfjsAddon(enginesFolder: string | undefined): TfjsAddon {
  if (isWhole('tfjs', enginesFolder)) {
    const folder = join(enginesFolder, installations.tfjs.folder)
    return { packageFolder: join(folder, 'node_modules', tfjsPackage), binding: join(folder, 'tfjs_binding.node') }
  }
  const peer = findTfjsPeer()
  if (peer?.hasAddon === true) return peer
  throw notInstalled(
    'tfjs',
    peer === null ? '' : ` (${peer.name} is beside headlight, but its addon ${peer.binding} is not)`,
  )
}

function notInstalled(name: InstallationName, detail: string): InputError {
  const { engine } = installations[name]
  return new InputError(
    'bad-engine',
    `the engine ${engine} is not installed${detail}: headlight engine install ${name}`,
  )
}
