import { wholeEngineName, type EngineName } from '../saliency/engine.ts'
import { hasRenderDevice, nvidiaGpus, type NvidiaGpus } from './gpus.ts'
import { probeEngine, type Probe } from './probe.ts'

export interface ChosenEngine {
  readonly engine: EngineName
  /** Why this one, in half a sentence. */
  readonly reason: string
  /** The NVIDIA GPUs, as CUDA_VISIBLE_DEVICES names them, that it can be spread over, one process each; empty where it takes no particular one. */
  readonly gpus: readonly string[]
}

/** What a machine has and how an engine does on it; tests give their own. */
export interface Machine {
  readonly nvidiaGpus: () => Promise<NvidiaGpus>
  readonly hasRenderDevice: () => boolean
  readonly probe: (engine: EngineName) => Promise<Probe>
}

export function thisMachine(enginesFolder: string, environment: Readonly<Record<string, string | undefined>>): Machine {
  return {
    nvidiaGpus: () => nvidiaGpus(environment),
    hasRenderDevice: () => hasRenderDevice(),
    probe: (engine) => probeEngine(engine, enginesFolder, environment),
  }
}

/** Best first. TensorFlow.js counts only where it found a GPU itself: on a CPU ONNX Runtime is the faster one. */
const ofNvidia = ['onnxruntime:cuda', 'tfjs:tensorflow', 'onnxruntime:webgpu'] as const

/**
 * `auto` takes the first engine that works on a GPU, else ONNX Runtime on the CPU; any other name is taken as it is.
 * Raises InputError `bad-engine` for a name that there is not.
 */
export async function chooseEngine(asked: string, machine: Machine): Promise<ChosenEngine> {
  if (asked !== 'auto') {
    const engine = wholeEngineName(asked)
    const mayUseGpus = engine === 'onnxruntime:cuda' || engine === 'tfjs:tensorflow'
    const { gpus, problem } = mayUseGpus ? await machine.nvidiaGpus() : noGpus
    // TensorFlow without CUDA works beside a GPU, on the CPU: there, one unit per GPU would leave most cores idle.
    if (engine === 'tfjs:tensorflow' && gpus.length > 0 && (await seesNoGpu(engine, machine))) {
      const reason = 'it was asked for, but does not see the GPU that is here: headlight engine install tfjs --cuda'
      return { engine, reason, gpus: [] }
    }
    return { engine, reason: noting('it was asked for', problem), gpus }
  }
  const { gpus, problem } = await machine.nvidiaGpus()
  const candidates = gpus.length > 0 ? ofNvidia : machine.hasRenderDevice() ? (['onnxruntime:webgpu'] as const) : []
  if (candidates.length === 0) return { engine: 'onnxruntime:cpu', reason: problem ?? 'no GPU is found', gpus: [] }
  const problems: string[] = []
  for (const engine of candidates) {
    const probe = await machine.probe(engine)
    if (probe.ok && probe.device !== 'the CPU') {
      const reason = noting(`it works on ${probe.device}`, problem)
      return { engine, reason, gpus: engine === 'onnxruntime:webgpu' ? [] : gpus }
    }
    problems.push(`${engine}: ${probe.ok ? 'it sees no GPU' : probe.problem}`)
  }
  const reason = `there is a GPU, but no engine can use it (${problems.join('; ')}; headlight engine list says more)`
  return { engine: 'onnxruntime:cpu', reason, gpus: [] }
}

const noting = (reason: string, problem: string | null): string =>
  problem === null ? reason : `${reason} (${problem})`

const noGpus: NvidiaGpus = { gpus: [], problem: null }

async function seesNoGpu(engine: EngineName, machine: Machine): Promise<boolean> {
  const probe = await machine.probe(engine)
  return probe.ok && probe.device === 'the CPU'
}
