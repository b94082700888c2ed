import { engineNames, isInstalled, sourceOf, type EngineName } from '../saliency/engines/openEngine.ts'
import { nvidiaGpus } from './gpus.ts'
import { probeEngine } from './probe.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What `engine list` says of an engine. The names are a contract: add, don't rename. */
export interface EngineStatus {
  readonly engine: EngineName
  readonly usable: boolean
  readonly version: string | null
  readonly device: string | null
  /** Why it cannot be used, and the one command that mends it; null where it can, or where no command helps. */
  readonly problem: string | null
  readonly remedy: string | null
  /** What to know of one that can be used. */
  readonly note: string | null
  /** Where it was found; null for one that comes with headlight, and for one that is not there. */
  readonly origin: string | null
}

/** What people are told of an engine. */
export function engineFacts({ usable, version, device, problem, origin }: EngineStatus): string {
  const facts = usable ? `${version}, on ${device}` : `${problem}`
  return origin === null ? facts : `${facts} (${origin})`
}

const remedies: { readonly [K in EngineName]: string } = {
  'onnxruntime:cpu': 'npm ci',
  'onnxruntime:cuda': 'headlight engine install cuda',
  'onnxruntime:webgpu': 'apt install libvulkan1, and the Vulkan driver of the GPU',
  'tfjs:tensorflow': 'headlight engine install tfjs',
  'tfjs:wasm': 'npm ci',
  reference: 'npm ci',
}

const unusable = { usable: false, version: null, device: null, note: null } as const

/** Tries every engine, one after another: together they would want the memory of all. */
export async function engineStatuses(enginesFolder: string, environment: Environment): Promise<EngineStatus[]> {
  const { gpus, problem } = await nvidiaGpus(environment)
  const statuses: EngineStatus[] = []
  for (const engine of engineNames) {
    // One that is installed is tried all the same: a container may have the GPU, but not the program that lists it.
    const isNoUse = engine === 'onnxruntime:cuda' && gpus.length === 0 && !isInstalled(engine, enginesFolder)
    statuses.push(
      isNoUse
        ? { ...unusable, engine, problem: problem ?? 'no NVIDIA GPU is found', remedy: null, origin: null }
        : withoutGpu(await engineStatus(engine, enginesFolder, environment), gpus.length === 0),
    )
  }
  return statuses
}

/** Of an engine for NVIDIA's GPUs: what its library says where there is none helps nobody, and another installation neither. */
function withoutGpu(status: EngineStatus, isWithout: boolean): EngineStatus {
  if (status.engine !== 'onnxruntime:cuda' || status.usable || !isWithout) return status
  return { ...status, problem: `no NVIDIA GPU is found (${status.problem})`, remedy: null }
}

async function engineStatus(
  engine: EngineName,
  enginesFolder: string,
  environment: Environment,
): Promise<EngineStatus> {
  const probe = await probeEngine(engine, enginesFolder, environment)
  const origin = sourceOf(engine, enginesFolder)?.origin ?? null
  if (probe.ok) {
    const { version, device, note = null } = probe
    return { engine, usable: true, version, device, problem: null, remedy: null, note, origin }
  }
  return { ...unusable, engine, problem: probe.problem, remedy: remedies[engine], origin }
}
