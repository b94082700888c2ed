/** Tries mutants one after the other and tells the parent of each: before it, and after it. Started by `main.ts`. */
import { mutantOf, verdictOf, wholeFiles } from './mutants.ts'

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

const [first = 0, count = 0, seed = 0] = process.argv.slice(2).map(Number)
const wholes = wholeFiles()
const tell = (tried: Tried): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send?.(tried, (error: Error | null) => (error ? reject(error) : resolve()))
  })

for (let index = first; index < count; index++) {
  const mutant = mutantOf(wholes, index, seed)
  const { name } = mutant
  await tell({ index, name })
  const start = process.cpuUsage()
  let verdict = 'wrong'
  let wrong: string | undefined
  try {
    verdict = verdictOf(mutant)
  } catch (error) {
    wrong = String(error instanceof Error ? error.stack : error).slice(0, 1500)
  }
  const { user, system } = process.cpuUsage(start)
  const cpuMs = (user + system) / 1000
  const peakBytes = process.resourceUsage().maxRSS * 1024
  await tell({ index, name, verdict, cpuMs, peakBytes, ...(wrong === undefined ? {} : { wrong }) })
}
process.disconnect?.()
