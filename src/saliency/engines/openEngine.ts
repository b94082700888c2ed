import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../base/errors.ts'
import type { OpenExecutor } from './engine.ts'

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
    const installed = installedFolder('tfjs', folder)
    return (await import('./tfjsTensorflow.ts')).openTfjsTensorflow(installed)
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

/** Raises InputError `bad-engine` for an engine, by any of its names, that must be installed first and is not. */
export function requireInstalled(name: string, enginesFolder: string): void {
  const installation = installationOf(wholeEngineName(name))
  if (installation !== undefined) installedFolder(installation, enginesFolder)
}

/** Whether it is there, or comes with headlight. */
export function isInstalled(engine: EngineName, enginesFolder: string): boolean {
  const installation = installationOf(engine)
  return installation === undefined || isWhole(installation, enginesFolder)
}

/** Undefined for an engine that comes with headlight. */
function installationOf(engine: EngineName): InstallationName | undefined {
  return (Object.keys(installations) as InstallationName[]).find((name) => installations[name].engine === engine)
}

function isWhole(name: InstallationName, enginesFolder: string): boolean {
  const { folder, mark } = installations[name]
  return existsSync(join(enginesFolder, folder, mark))
}

function installedFolder(name: InstallationName, enginesFolder: string | undefined): string {
  const { folder, engine } = installations[name]
  if (enginesFolder !== undefined && isWhole(name, enginesFolder)) return join(enginesFolder, folder)
  throw new InputError('bad-engine', `the engine ${engine} is not installed: headlight engine install ${name}`)
}
