import { InputError } from '../errors.ts'
import type { OpenExecutor } from './executor.ts'

/** Exact engines by the name that people give; `auto` takes the best that this build can run. */
const engines: Readonly<Record<string, () => Promise<OpenExecutor>>> = {
  // Loaded on demand, so that whoever needs the reference only pays for no native library.
  'onnxruntime:cpu': async () => (await import('./executors/onnxruntime.ts')).openOnnxRuntime,
  reference: async () => (await import('./executors/reference.ts')).openReference,
}

const shortNames: Readonly<Record<string, string>> = { auto: 'onnxruntime:cpu', onnxruntime: 'onnxruntime:cpu' }

/** Raises InputError `bad-engine` for a name that this build cannot run. */
export async function findEngine(name: string): Promise<OpenExecutor> {
  const load = engines[shortNames[name] ?? name]
  if (load === undefined) {
    const known = [...Object.keys(shortNames), ...Object.keys(engines)].join(', ')
    throw new InputError('bad-engine', `engine "${name}" cannot run here: use one of ${known}`)
  }
  return load()
}
