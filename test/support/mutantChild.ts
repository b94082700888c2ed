import { inspect } from 'node:util'

/** Of one mutant, before it is tried and after it. */
export interface Tried {
  readonly index: number
  readonly name: string
  /** Absent before the mutant is tried. */
  readonly verdict?: string
  /** An error that is no clean refusal. */
  readonly wrong?: string
  /** Of the processor's time: a busy machine makes no mutant slow. */
  readonly cpuMs?: number
  /** The most that the process has held so far. */
  readonly peakBytes?: number
}

export interface Trial<M> {
  /** The `index`th mutant of a seed; the same numbers give the same mutant. */
  readonly mutantOf: (index: number, seed: number) => M
  /** What becomes of it. Any error that is no clean refusal is raised. */
  readonly verdictOf: (mutant: M) => string | Promise<string>
}

/** Tries mutants one after the other and tells the parent of each; see `mutantParent.ts`, which starts the process. */
export async function tryMutants<M extends { readonly name: string }>({
  mutantOf,
  verdictOf,
}: Trial<M>): Promise<void> {
  const [first = 0, count = 0, seed = 0, limitBytes = 0] = process.argv.slice(2).map(Number)
  for (let index = first; index < count; index++) {
    const mutant = mutantOf(index, seed)
    const { name } = mutant
    await tell({ index, name })
    const start = process.cpuUsage()
    let verdict = 'wrong'
    let wrong: string | undefined
    try {
      verdict = await verdictOf(mutant)
    } catch (error) {
      wrong = inspect(error).slice(0, 1500)
    }
    const { user, system } = process.cpuUsage(start)
    const cpuMs = (user + system) / 1000
    const peakBytes = process.resourceUsage().maxRSS * 1024
    await tell({ index, name, verdict, cpuMs, peakBytes, ...(wrong === undefined ? {} : { wrong }) })
    // The peak never falls: only a process of its own tells whether the next mutant takes as much.
    if (peakBytes > limitBytes) break
  }
  process.disconnect?.()
}

function tell(tried: Tried): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(tried, (error: Error | null) => (error ? reject(error) : resolve()))
  })
}
