import type { Logger } from '../base/telemetry.ts'
import { readSummary, type Summary } from '../output/summary.ts'
import type { RunJob } from '../queue/jobs.ts'
import type { Store } from '../storage/store.ts'
import type { ScheduleStatus } from './schedules.ts'

/**
 * The summaries of the runs that schedules completed last, read from their outputs: one GET for each such run, by each
 * producer that is asked for metrics. So they are there after a restart, too, and whoever served the run. In the outcomes
 * in Redis they would be nearer, but a producer of an earlier version reads none that has a field it does not know.
 */
export class LastRuns {
  readonly #openOutput: (job: RunJob) => Store
  readonly #log: Logger
  readonly #read = new Map<string, { readonly run: string; readonly summary: Summary | undefined }>()
  readonly #reading = new Set<string>()

  /** @param openOutput may raise; it is asked again at the next look */
  constructor(openOutput: (job: RunJob) => Store, log: Logger) {
    this.#openOutput = openOutput
    this.#log = log
  }

  /**
   * What is known by now, under the schedules' names. Reading goes on meanwhile, for the next look: whoever waited for a
   * slow output here would miss all other metrics, too.
   */
  look(schedules: readonly ScheduleStatus[]): ReadonlyMap<string, Summary> {
    const known = new Map<string, Summary>()
    for (const { schedule, outcomes } of schedules) {
      const last = outcomes.find(({ outcome, run }) => outcome === 'completed' && run !== null)
      if (!last?.run) continue
      const read = this.#read.get(schedule.name)
      if (read?.summary !== undefined) known.set(schedule.name, read.summary)
      if (read?.run !== last.run) {
        void this.#readFor(schedule.name, { ...schedule.job, set: last.set ?? schedule.job.set }, last.run)
      }
    }
    for (const name of this.#read.keys())
      if (!schedules.some(({ schedule }) => schedule.name === name)) this.#read.delete(name)
    return known
  }

  async #readFor(schedule: string, job: RunJob, run: string): Promise<void> {
    if (this.#reading.has(schedule)) return
    this.#reading.add(schedule)
    let output: Store | undefined
    try {
      output = this.#openOutput(job)
      this.#read.set(schedule, { run, summary: await readSummary(output, job.set, run) })
    } catch (error) {
      this.#log.debug({ err: error, schedule, run }, 'the summary of its last run was not read')
    } finally {
      output?.close()
      this.#reading.delete(schedule)
    }
  }
}
