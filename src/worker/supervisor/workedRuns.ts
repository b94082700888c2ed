import { PlaceError, RefusalError } from '../../base/errors.ts'
import type { Logger } from '../../base/telemetry.ts'
import { together } from '../../base/together.ts'
import { noFlags, readFlags, type Flags } from '../../output/flags.ts'
import { layout } from '../../output/layout.ts'
import { readResultSet, type ResultSet } from '../../output/resultSet.ts'
import { runInLog, type ShardJob } from '../../queue/jobs.ts'
import type { AllowedPlaces } from '../../storage/allowedPlaces.ts'
import type { Store } from '../../storage/store.ts'
import { openDataset, openOutput, outputName, type EndpointOverrides } from '../endpoints.ts'

/** One run as the supervisor sees it: its result set, and what people ask of it. */
export class WorkedRun {
  readonly set: ResultSet
  readonly #output: Store
  readonly #dataset: Store
  readonly #run: string
  readonly #log: Logger
  #flags: Promise<Flags> | undefined
  #flagsReadAt = -Infinity

  constructor(set: ResultSet, output: Store, dataset: Store, run: string, log: Logger) {
    this.set = set
    this.#output = output
    this.#dataset = dataset
    this.#run = run
    this.#log = log
  }

  /** Raises the precise error when dataset or output cannot be used from here. */
  async check(): Promise<void> {
    // Shards are looked at next, and then these are asked for.
    void this.flags(Infinity)
    await together([this.#dataset.check('read'), this.#output.check('write')])
  }

  /** The run's flags, at most `maxAgeMs` old. When they cannot be read the last known ones hold. */
  async flags(maxAgeMs: number): Promise<Flags> {
    const before = this.#flags
    if (before && performance.now() - this.#flagsReadAt < maxAgeMs) return before
    this.#flagsReadAt = performance.now()
    this.#flags = readFlags(this.#output, this.set.id, this.#run).catch(async (error: unknown) => {
      this.#log.debug(
        { ...runInLog({ set: this.set.id, run: this.#run }), err: error },
        `could not read ${layout.flags(this.set.id, this.#run)}`,
      )
      return (await before) ?? noFlags
    })
    return this.#flags
  }

  close(): void {
    this.#output.close()
    this.#dataset.close()
  }
}

const keptRuns = 8
/** Whoever writes to the queue could fill this process's memory otherwise. */
const keptRefusals = 1_000

/** The same for all shards of a run. */
export const runName = (job: ShardJob): string => `${outputName(job)} ${job.set} ${job.run}`

/** The runs that a supervisor works on. Opening one checks both its stores, before its first shard is begun. */
export class WorkedRuns {
  readonly #endpoints: EndpointOverrides
  readonly #allowed: AllowedPlaces | undefined
  readonly #log: Logger
  readonly #runs = new Map<string, Promise<WorkedRun>>()
  readonly #refused = new Map<string, RefusalError>()

  /** @param allowed absent: whatever jobs and result sets name */
  constructor(endpoints: EndpointOverrides, log: Logger, allowed?: AllowedPlaces) {
    this.#endpoints = endpoints
    this.#allowed = allowed
    this.#log = log
  }

  /** Raises InputError, PlaceError, TransientError or RefusalError; what failed is tried anew by the next call, but what is refused. */
  of(job: ShardJob): Promise<WorkedRun> {
    const name = runName(job)
    const refused = this.#refused.get(name)
    if (refused) return Promise.reject(refused)
    const known = this.#runs.get(name)
    if (known) {
      this.#runs.delete(name)
      this.#runs.set(name, known)
      return known
    }
    const opened = this.#open(job)
    this.#runs.set(name, opened)
    opened.catch((error: unknown) => {
      this.#runs.delete(name)
      if (error instanceof RefusalError) this.#refuse(name, error)
    })
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
    this.#allowed?.require({ what: 'output', uri: job.output, endpoint: job.endpoint }, this.#endpoints.output)
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
    // Before the check for writing, which would create a folder that is missing because nothing is mounted here.
    const set = await readResultSet(output, job.set)
    if (!set)
      throw new PlaceError(
        'store-gone',
        `${output.uri}${layout.set(job.set)} is missing: the output is not mounted or not reachable from here`,
      )
    // Who may write to the output may not thereby say what is read.
    this.#allowed?.require({ what: 'dataset', ...set.dataset }, this.#endpoints.dataset)
    return new WorkedRun(set, output, openDataset(set, this.#endpoints), job.run, this.#log)
  }

  /** It stands: a result set never changes. Read anew for each of its shards, it would keep this worker from all other runs. */
  #refuse(name: string, error: RefusalError): void {
    if (this.#refused.size === keptRefusals) this.#refused.clear()
    this.#refused.set(name, error)
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
