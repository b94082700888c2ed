import type { EngineName } from '../../src/saliency/engines/openEngine.ts'
import type { Report } from './report.ts'

export interface UsableEngine {
  readonly engine: EngineName
  readonly version: string
  readonly device: string
}

/** What every step is given. */
export interface GpuContext {
  readonly report: Report
  /** The engines that load here and compute a known answer, the one of the card first. */
  readonly engines: readonly UsableEngine[]
  /** As CUDA_VISIBLE_DEVICES and `nvidia-smi -i` name it; null where there is none. */
  readonly device: string | null
  /** Of every process that is started. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly enginesFolder: string
  /** Scratch, removed at the end. */
  readonly work: string
  /** Checkpoint of the network that is measured. */
  readonly network: string
  /** Python with torch. */
  readonly python: string
  readonly isRehearsal: boolean
  /** Aborted by an interrupt: every process that a step starts ends with it. */
  readonly signal: AbortSignal
  /** Until the step's share of the time is used up. */
  readonly secondsLeft: () => number
}

/** The engine that is measured on the card: the first that computes on a GPU, in a rehearsal the first there is. */
export function cardEngine({ engines }: GpuContext): UsableEngine {
  const [first] = engines
  if (first === undefined) throw new Error('no engine computes here; the step machine says why')
  return first
}

/** How a verdict is when something failed: a miss, unless it only came too late. */
export const failure = ({ secondsLeft }: Pick<GpuContext, 'secondsLeft'>): false | null =>
  secondsLeft() > 0 ? false : null
