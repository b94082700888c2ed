import { InputError } from '../base/errors.ts'
import { wholeEngineName, type EngineName } from '../saliency/engines/openEngine.ts'
import { hasRenderDevice, nvidiaGpus, type NvidiaGpus } from './gpus.ts'
import { probeEngine, type Probe } from './probe.ts'

export interface ChosenEngine {
  readonly engine: EngineName
  /** Why this one, in half a sentence. */
  readonly reason: string
  /** The NVIDIA GPUs, as CUDA_VISIBLE_DEVICES names them, that it is to be spread over, one process each; empty where it takes no particular one. */
  readonly gpus: readonly string[]
}

/** What a machine has and how an engine does on it; tests give their own. */
export interface Machine {
  readonly nvidiaGpus: () => Promise<NvidiaGpus>
  readonly hasRenderDevice: () => boolean
  /** `device` is the one GPU that the engine may see; null leaves it all. */
  readonly probe: (engine: EngineName, device: string | null) => Promise<Probe>
}

export function thisMachine(enginesFolder: string, environment: Readonly<Record<string, string | undefined>>): Machine {
  return {
    nvidiaGpus: () => nvidiaGpus(environment),
    hasRenderDevice: () => hasRenderDevice(),
    probe: (engine, device) => probeEngine(engine, enginesFolder, environment, device),
  }
}

/** Best first. TensorFlow.js counts only where it found a GPU itself: on a CPU ONNX Runtime is the faster one. */
const ofNvidia = ['onnxruntime:cuda', 'tfjs:tensorflow', 'onnxruntime:webgpu'] as const

/**
 * `auto` takes the first engine that works on a GPU, else ONNX Runtime on the CPU; any other name is taken as it is. An
 * engine is tried on the first of the GPUs that it is to use. `gpus` says which: indices or UUIDs with commas between, or
 * `all`, which is also the default. Raises InputError `bad-engine` for a name that there is not, `bad-option` for GPUs that
 * cannot be had.
 */
export async function chooseEngine(asked: string, machine: Machine, gpus?: string): Promise<ChosenEngine> {
  const chosen = await choose(asked, {
    ...machine,
    nvidiaGpus: async () => {
      const { gpus: present, problem } = await machine.nvidiaGpus()
      return { gpus: wantedOf(present, gpus), problem }
    },
  })
  if (gpus === undefined || chosen.gpus.length > 0) return chosen
  const why = chosen.engine === 'onnxruntime:webgpu' ? 'it chooses its device by itself' : chosen.reason
  throw new InputError('bad-option', `--gpus ${gpus} cannot be had with the engine ${chosen.engine}: ${why}`)
}

function wantedOf(present: readonly string[], asked: string | undefined): readonly string[] {
  // Where there is none at all, the engine's own reason says more.
  if (asked === undefined || asked === 'all' || present.length === 0) return present
  const wanted = asked.split(',').map((index) => index.trim())
  const absent = wanted.filter((index) => !present.includes(index))
  if (absent.length === 0) return wanted
  throw new InputError(
    'bad-option',
    `--gpus ${asked}: there is no GPU ${absent.join(', ')} here, only ${present.join(', ')}`,
  )
}

async function choose(asked: string, machine: Machine): Promise<ChosenEngine> {
  if (asked !== 'auto') {
    const engine = wholeEngineName(asked)
    const mayUseGpus = engine === 'onnxruntime:cuda' || engine === 'tfjs:tensorflow'
    const { gpus, problem } = mayUseGpus ? await machine.nvidiaGpus() : noGpus
    // TensorFlow without CUDA works beside a GPU, on the CPU: there, one unit per GPU would leave most cores idle.
    if (engine === 'tfjs:tensorflow' && gpus.length > 0 && (await seesNoGpu(engine, machine, gpus[0] ?? null))) {
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
    const probe = await machine.probe(engine, engine === 'onnxruntime:webgpu' ? null : (gpus[0] ?? null))
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

async function seesNoGpu(engine: EngineName, machine: Machine, device: string | null): Promise<boolean> {
  const probe = await machine.probe(engine, device)
  return probe.ok && probe.device === 'the CPU'
}
