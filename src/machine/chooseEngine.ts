import { InputError } from '../base/errors.ts'
import { requireInstalled, wholeEngineName, type EngineName } from '../saliency/engines/openEngine.ts'
import { hasRenderDevice, nvidiaGpus, type NvidiaGpus } from './gpus.ts'
import { failuresText, namesOf, tryOnGpus } from './gpuTrial.ts'
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

/** `probeMs`: how long an engine may take when it is tried. */
export function thisMachine(
  enginesFolder: string,
  environment: Readonly<Record<string, string | undefined>>,
  probeMs: number,
): Machine {
  return {
    nvidiaGpus: () => nvidiaGpus(environment),
    hasRenderDevice: () => hasRenderDevice(),
    // Eight processes would say no more of an engine that is not there.
    probe: async (engine, device) =>
      absence(engine, enginesFolder) ?? probeEngine(engine, enginesFolder, environment, { device, timeoutMs: probeMs }),
  }
}

function absence(engine: EngineName, enginesFolder: string): Probe | null {
  try {
    requireInstalled(engine, enginesFolder)
    return null
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return { ok: false, problem: error.message }
  }
}

/** Best first. */
const ofNvidia = ['onnxruntime:cuda', 'tfjs:tensorflow'] as const

/**
 * `auto` takes the first engine that works on a GPU, else ONNX Runtime on the CPU; any other name is taken as it is. An
 * engine is tried on every GPU that it is to use. `gpus` says which: indices with commas between, or `all`, which is also
 * the default. A GPU that was named is taken or refused; another one on which the engine fails is left out, and the reason
 * says so. Raises InputError `bad-engine` for a name that there is not, `bad-option` for GPUs that cannot be had.
 */
export async function chooseEngine(asked: string, machine: Machine, gpus?: string): Promise<ChosenEngine> {
  const among = async (): Promise<NvidiaGpus> => {
    const { gpus: present, problem } = await machine.nvidiaGpus()
    return { gpus: wantedOf(present, gpus), problem }
  }
  if (asked === 'auto') return chooseAutomatically(machine, await among(), gpus)
  const chosen = await takeNamed(wholeEngineName(asked), machine, among)
  if (gpus === undefined || chosen.gpus.length > 0) return chosen
  throw new InputError(
    'bad-option',
    `--gpus ${gpus} cannot be had with the engine ${chosen.engine}: ${whyNoGpus(chosen)}`,
  )
}

function whyNoGpus({ engine, reason }: ChosenEngine): string {
  if (engine === 'onnxruntime:webgpu') return 'it chooses its device by itself'
  if (reason !== askedFor) return reason
  return takesGpus(engine) ? 'no NVIDIA GPU is found' : 'it computes on the CPU'
}

const askedFor = 'it was asked for'
const takesGpus = (engine: EngineName): boolean => engine === 'onnxruntime:cuda' || engine === 'tfjs:tensorflow'

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

async function takeNamed(
  engine: EngineName,
  machine: Machine,
  among: () => Promise<NvidiaGpus>,
): Promise<ChosenEngine> {
  const { gpus, problem } = takesGpus(engine) ? await among() : noGpus
  // TensorFlow without CUDA works beside a GPU, on the CPU: there, one unit per GPU would leave most cores idle.
  if (engine === 'tfjs:tensorflow' && gpus.length > 0 && (await seesNoGpu(engine, machine, gpus[0] ?? null))) {
    const reason = 'it was asked for, but does not see the GPU that is here: headlight engine install tfjs --cuda'
    return { engine, reason, gpus: [] }
  }
  return { engine, reason: noting(askedFor, problem), gpus }
}

async function chooseAutomatically(
  machine: Machine,
  { gpus, problem }: NvidiaGpus,
  asked: string | undefined,
): Promise<ChosenEngine> {
  const problems: string[] = []
  for (const engine of gpus.length > 0 ? ofNvidia : []) {
    const trial = await tryOnGpus(engine, gpus, machine.probe)
    if (trial.working.length === 0) {
      problems.push(`${engine}: ${failuresText(trial)}`)
      continue
    }
    if (asked !== undefined && asked !== 'all' && trial.failures.length > 0) {
      throw new InputError(
        'bad-option',
        `--gpus ${asked} cannot be had: ${engine} works on ${namesOf(trial.working)}, but not on ${failuresText(trial)} (mend that, or leave it out of --gpus)`,
      )
    }
    const leftOut = trial.failures.map((failure) => `left out ${namesOf(failure.gpus)}: ${failure.problem}`)
    return {
      engine,
      reason: noting(`it works on ${trial.device}`, trial.note, problem, ...leftOut),
      gpus: trial.working,
    }
  }
  // It chooses its device by itself, so it is not among the engines that can be given GPUs.
  if (asked === undefined && (gpus.length > 0 || machine.hasRenderDevice())) {
    const engine = 'onnxruntime:webgpu'
    const probe = await machine.probe(engine, null)
    if (probe.ok && probe.device !== 'the CPU') {
      return { engine, reason: noting(`it works on ${probe.device}`, problem), gpus: [] }
    }
    problems.push(`${engine}: ${probe.ok ? 'it sees no GPU' : probe.problem}`)
  }
  const tried = `${problems.join('; ')}; headlight engine list says more`
  if (asked !== undefined) {
    const why =
      problems.length > 0 ? `no engine can use ${namesOf(gpus)} (${tried})` : (problem ?? 'no NVIDIA GPU is found')
    throw new InputError('bad-option', `--gpus ${asked} cannot be had: ${why}`)
  }
  const reason =
    problems.length > 0 ? `there is a GPU, but no engine can use it (${tried})` : (problem ?? 'no GPU is found')
  return { engine: 'onnxruntime:cpu', reason, gpus: [] }
}

function noting(reason: string, ...notes: readonly (string | null)[]): string {
  const said = notes.filter((note) => note !== null)
  return said.length === 0 ? reason : `${reason} (${said.join('; ')})`
}

const noGpus: NvidiaGpus = { gpus: [], problem: null }

async function seesNoGpu(engine: EngineName, machine: Machine, device: string | null): Promise<boolean> {
  const probe = await machine.probe(engine, device)
  return probe.ok && probe.device === 'the CPU'
}
