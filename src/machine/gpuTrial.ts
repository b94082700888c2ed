import type { EngineName } from '../saliency/engines/openEngine.ts'
import type { Probe } from './probe.ts'

/** How an engine does on the GPUs that it is to use. */
export interface GpuTrial {
  /** Those on which it computes the known answer, in the order of the GPUs. */
  readonly working: readonly string[]
  /** What it says that it runs on there. */
  readonly device: string
  /** What to know of it, though it works. */
  readonly note: string | null
  /** Why it does not work on the others: the GPUs with one problem stand together. */
  readonly failures: readonly GpuFailure[]
}

interface GpuFailure {
  readonly gpus: readonly string[]
  readonly problem: string
}

/** Tries an engine on every GPU, side by side: one after another, eight of them would take minutes. */
export async function tryOnGpus(
  engine: EngineName,
  gpus: readonly string[],
  probe: (engine: EngineName, device: string) => Promise<Probe>,
): Promise<GpuTrial> {
  const tried = await Promise.all(
    // A GPU that is to have two units is named twice.
    [...new Set(gpus)].map(async (gpu) => ({ gpu, answer: await probe(engine, gpu) })),
  )
  const byProblem = new Map<string, string[]>()
  const devices = new Map<string, string>()
  for (const { gpu, answer } of tried) {
    // TensorFlow.js counts only where it found the GPU itself: on a CPU ONNX Runtime is the faster one.
    if (answer.ok && answer.device !== 'the CPU') devices.set(gpu, answer.device)
    else {
      const problem = answer.ok ? 'it sees no GPU' : answer.problem
      byProblem.set(problem, [...(byProblem.get(problem) ?? []), gpu])
    }
  }
  return {
    working: gpus.filter((gpu) => devices.has(gpu)),
    device: [...new Set(devices.values())].join(' and '),
    // Of the installation, so it is the same on every GPU.
    note: tried.flatMap(({ answer }) => (answer.ok && answer.note !== undefined ? [answer.note] : []))[0] ?? null,
    failures: [...byProblem].map(([problem, failed]) => ({ gpus: failed, problem })),
  }
}

/** What went wrong; says on which GPUs only where it was not the same on all. */
export function failuresText({ working, failures }: GpuTrial): string {
  const [first, ...others] = failures
  if (first !== undefined && others.length === 0 && working.length === 0) return first.problem
  return failures.map(({ gpus, problem }) => `${namesOf(gpus)}: ${problem}`).join(', ')
}

/** `GPU 3`, or `GPUs 3, 5`. */
export const namesOf = (gpus: readonly string[]): string => `GPU${gpus.length === 1 ? '' : 's'} ${gpus.join(', ')}`
