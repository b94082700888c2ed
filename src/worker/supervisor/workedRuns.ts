import { PlaceError } from '../../base/errors.ts'
import type { Logger } from '../../base/telemetry.ts'
import { flagsSchema, type Flags } from '../../output/flags.ts'
import { getJson } from '../../output/jsonObject.ts'
import { layout } from '../../output/layout.ts'
import { resultSetSchema, type ResultSet } from '../../output/resultSet.ts'
import type { ShardJob } from '../../queue/jobs.ts'
import type { Store } from '../../storage/store.ts'
import { openDataset, openOutput, type EndpointOverrides } from '../endpoints.ts'

/** One run as the supervisor sees it: its result set, and what people ask of it. */
export class WorkedRun {
  readonly set: ResultSet
  readonly #output: Store
  readonly #dataset: Store
  readonly #flagsKey: string
  readonly #log: Logger
  #flags: Promise<Flags> | undefined
  #flagsReadAt = -Infinity

  constructor(set: ResultSet, output: Store, dataset: Store, run: string, log: Logger) {
    this.set = set
    this.#output = output
    this.#dataset = dataset
    this.#flagsKey = layout.flags(set.id, run)
    this.#log = log
  }

  /** Raises the precise error when dataset or output cannot be used from here. */
  async check(): Promise<void> {
    await this.#dataset.check('read')
    await this.#output.check('write')
  }

  /** The run's flags, at most `maxAgeMs` old. When they cannot be read the last known ones hold. */
  async flags(maxAgeMs: number): Promise<Flags> {
    const before = this.#flags
    if (before && performance.now() - this.#flagsReadAt < maxAgeMs) return before
    this.#flagsReadAt = performance.now()
    this.#flags = this.#readFlags().catch(async (error: unknown) => {
      this.#log.debug({ err: error }, `could not read ${this.#flagsKey}`)
      return (await before) ?? noFlags
    })
    return this.#flags
  }

  async #readFlags(): Promise<Flags> {
    return (await getJson(this.#output, this.#flagsKey, flagsSchema))?.value ?? noFlags
  }

  close(): void {
    this.#output.close()
    this.#dataset.close()
  }
}

const noFlags: Flags = { paused: false, cancelled: false }
const keptRuns = 8

/** The runs that a supervisor works on. Opening one checks both its stores, before its first shard is begun. */
export class WorkedRuns {
  readonly #endpoints: EndpointOverrides
  readonly #log: Logger
  readonly #runs = new Map<string, Promise<WorkedRun>>()

  constructor(endpoints: EndpointOverrides, log: Logger) {
    this.#endpoints = endpoints
    this.#log = log
  }

  /** Raises InputError, PlaceError or TransientError; what failed is tried anew by the next call. */
  of(job: ShardJob): Promise<WorkedRun> {
    const name = `${job.output} ${job.set} ${job.run}`
    const known = this.#runs.get(name)
    if (known) {
      this.#runs.delete(name)
      this.#runs.set(name, known)
      return known
    }
    const opened = this.#open(job)
    this.#runs.set(name, opened)
    opened.catch(() => this.#runs.delete(name))
    this.#forgetOldest()
    return opened
  }

  /** Opens the run's stores anew and checks them: what a worker does before it pulls again. */
  async recheck(job: ShardJob): Promise<void> {
    const run = await this.#open(job)
    run.close()
  }

  close(): void {
    for (const run of this.#runs.values()) closeWhenOpen(run)
    this.#runs.clear()
  }

  async #open(job: ShardJob): Promise<WorkedRun> {
    const output = openOutput(job, this.#endpoints)
    let run: WorkedRun | undefined
    try {
      run = await this.#found(job, output)
      await run.check()
      return run
    } catch (error) {
      // A fault of the place is looked at again for hours: each look would leave its connections behind.
      ;(run ?? output).close()
      throw error
    }
  }

  async #found(job: ShardJob, output: Store): Promise<WorkedRun> {
    const key = layout.set(job.set)
    // Before the check for writing, which would create a folder that is missing because nothing is mounted here.
    const found = await getJson(output, key, resultSetSchema)
    if (!found)
      throw new PlaceError(
        'store-gone',
        `${output.uri}${key} is missing: the output is not mounted or not reachable from here`,
      )
    const set = found.value
    return new WorkedRun(set, output, openDataset(set, this.#endpoints), job.run, this.#log)
  }

  #forgetOldest(): void {
    for (const [name, run] of this.#runs) {
      if (this.#runs.size <= keptRuns) return
      this.#runs.delete(name)
      closeWhenOpen(run)
    }
  }
}

function closeWhenOpen(run: Promise<WorkedRun>): void {
  run.then(
    (open) => open.close(),
    () => undefined,
  )
}
