import { InputError, TransientError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { together } from '../base/together.ts'
import type { Adapter } from '../dataset/adapter.ts'
import { openAdapter } from '../dataset/adapters.ts'
import { requireImages } from '../dataset/requireImages.ts'
import { currentRun } from '../output/current.ts'
import { Hold, type HoldTimes } from '../output/hold.ts'
import { Manifest, type PartOutline } from '../output/manifest.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { latestRun, openRun, type Retry, type Run } from '../output/runs.ts'
import { stateRows } from '../output/stateRows.ts'
import type { Summary } from '../output/summary.ts'
import { checkRedis } from '../queue/checkRedis.ts'
import type { QueueConnection } from '../queue/redisUrl.ts'
import { Patience, type PatienceTimes } from '../storage/patience.ts'
import { PatientStore } from '../storage/patientStore.ts'
import type { Store } from '../storage/store.ts'
import { enumerate, isAsked } from './enumerate.ts'
import { finalize, type WorkFacts } from './finalize.ts'
import { Following, type FollowTimes } from './follow.ts'
import { nearListing } from './nearListing.ts'
import { ProgressReport, type RunProgress } from './progress.ts'
import { ShardQueue } from './shardQueue.ts'
import { Shards } from './shards.ts'
import { WorkLog } from './workLog.ts'

export interface ServeRunOptions {
  readonly output: Store
  readonly set: ResultSet
  readonly openDataset: (set: ResultSet) => Store
  /** Compute everything anew. An open run that is not full is closed first, as if cancelled. */
  readonly full: boolean
  /**
   * Only failed samples. InputError `held` when another run of the set is still open; a retry that was left open is
   * finished by whatever run comes next, before that begins.
   */
  readonly retry?: Retry | undefined
  /** Remove the maps and gradients of samples that are gone. */
  readonly prune?: boolean
  /** How many runs that changed anything are kept whole, the newest; absent: all, or as the run was opened. */
  readonly keepRuns?: number | undefined
  /** Whether a report is drawn once the run is closed; absent: as the run was opened. */
  readonly report?: boolean | undefined
  /** Beside other runs of the queue; absent: an ordinary one. */
  readonly priority?: number | undefined
  /** Null: chosen by the size of the dataset. */
  readonly shardSize: number | null
  readonly connection: QueueConnection
  readonly queueName: string
  readonly headlightVersion: string
  /** On abort the hold is released, the run stays open, and the promise rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** Its messages are told nowhere else, but for those that say so. */
  readonly onProgress: (progress: RunProgress) => void
  /** Workers come with this call: that none is there yet is nothing to be said. */
  readonly hasOwnWorkers?: boolean
  /** Called when a sample that is to be computed has been listed: with the first one, and now and then again. */
  readonly onWork?: () => void
  readonly log: Logger
  /** For tests: entries of a full part of the manifest. */
  readonly partEntries?: number
  /** For tests; the defaults suit everything else. */
  readonly times?: { readonly hold?: HoldTimes; readonly follow?: FollowTimes; readonly store?: PatienceTimes }
}

/**
 * Brings a result set up to date: takes the hold, opens a run or resumes the one that was left open, lists the dataset,
 * enqueues what is to compute, waits until every shard has its record file, merges, publishes, and releases the hold.
 *
 * Raises InputError `held` when another run writes to the set (also when the hold is lost on the way), `empty-dataset`,
 * `no-redis`, and whatever the stores raise. The run stays open then, and the next call goes on with it. Once begun,
 * Redis may go away and come back, empty or not. A store that fails is waited for: without limit while workers compute,
 * since their work is not to be lost; for a quarter of an hour at a time while the producer lists, merges and publishes.
 */
export async function serveRun(options: ServeRunOptions): Promise<Summary> {
  const { output, set, connection, signal } = options
  const { warning } = await checkRedis(connection)
  if (warning !== null) options.log.warn(warning)
  const log = options.log.child({ resultSet: set.id })
  const progress = new ProgressReport(options.onProgress)
  const hold = await Hold.take({
    output,
    set: set.id,
    signal,
    patience: patienceFor(options, progress, signal),
    onWait: (message) => progress.update({ phase: 'waiting', message }),
    log,
    ...(options.times?.hold === undefined ? {} : { times: options.times.hold }),
  })
  try {
    return await new Serving(options, hold, progress, log).serve()
  } finally {
    progress.stop()
    await hold.release().catch((error: unknown) => {
      // Its heartbeat ends with this process, so the next run gets past it.
      log.warn({ err: error }, 'the hold could not be given back')
    })
  }
}

/** Faults of the stores are waited out, and said while they last. */
function patienceFor({ times }: ServeRunOptions, progress: ProgressReport, signal: AbortSignal): Patience {
  return new Patience({ signal, say: (message) => progress.update({ message }), times: times?.store })
}

class Serving {
  readonly #options: ServeRunOptions
  readonly #hold: Hold
  readonly #progress: ProgressReport
  /** The caller's wish to stop, or the loss of the hold. */
  readonly #signal: AbortSignal
  readonly #patience: Patience
  readonly #adapter: Adapter
  /** Names the result set in every line, which the options' own does not: what is about Redis is about no run. */
  readonly #log: Logger
  /** The run that this call has opened itself. */
  #begun: string | undefined
  /** Warnings that were given: behind a retry that was left open the dataset is looked at twice. */
  readonly #warned = new Set<string>()

  constructor(options: ServeRunOptions, hold: Hold, progress: ProgressReport, log: Logger) {
    this.#log = log
    this.#options = options
    this.#hold = hold
    this.#progress = progress
    this.#signal = AbortSignal.any([options.signal, hold.lost])
    this.#patience = patienceFor(options, progress, this.#signal)
    this.#adapter = openAdapter(options.set.options.adapter)
  }

  async serve(): Promise<Summary> {
    const dataset = this.#options.openDataset(this.#options.set)
    try {
      const run = await this.#openOrResume(dataset)
      const summary = await this.#bring(run, dataset)
      if (run.retry === undefined || this.#options.retry !== undefined) return summary
      // A retry was left open, and more was asked for.
      return await this.#bring(await this.#openOrResume(dataset), dataset)
    } finally {
      dataset.close()
    }
  }

  async #bring(run: Run, dataset: Store): Promise<Summary> {
    // Not waited for by the listing: a hold that is lost stops it.
    const named = this.#hold.setRun(run.run)
    named.catch(() => undefined)
    this.#progress.update({ run: run.run })
    const { end, facts } = await this.#work(run, dataset)
    await named
    return this.#close(run, end, facts)
  }

  async #openOrResume(dataset: Store): Promise<Run> {
    const { set, full, retry, prune = false, keepRuns, report } = this.#options
    const log = this.#log
    const output = new PatientStore(this.#options.output, this.#patience)
    const latest = await latestRun(output, set.id)
    if (latest?.state === 'open') {
      if (retry !== undefined && latest.retry?.code !== retry.code) {
        const message =
          `run ${latest.run} of ${set.id} is still open; start it again or cancel it ` +
          `(headlight cancel ${latest.run}), then retry`
        throw new InputError('held', message)
      }
      if (latest.full || !full) {
        log.info(
          { run: latest.run },
          `going on with the run that was ${latest.queued === undefined ? 'left open' : 'queued'}`,
        )
        if ((await new Manifest(output, set.id, latest.run).done()) === undefined) await this.#requireImages(dataset)
        return latest
      }
      log.info({ run: latest.run }, 'closing the run that was left open: everything is to be computed anew')
      await this.#hold.setRun(latest.run)
      await this.#close(latest, 'cancelled', { engines: [], imagesPerSecond: null })
    }
    // Before anything is written that a later run would have to deal with.
    const [base] = await together([currentRun(output, set.id), this.#requireImages(dataset)])
    const asked = { full, retry, prune, keepRuns, report }
    const run = await openRun({ output, set: set.id, base, ...asked, latest, now: new Date() })
    log.info({ run: run.run }, 'the run begins')
    this.#begun = run.run
    return run
  }

  async #requireImages(dataset: Store): Promise<void> {
    await requireImages(this.#adapter, new PatientStore(dataset, this.#patience), 1)
    for (const warning of this.#adapter.overview?.().warnings ?? []) {
      if (!this.#warned.has(warning)) this.#log.warn(warning)
      this.#warned.add(warning)
    }
  }

  /** Lists, enqueues and follows at once: workers compute the first parts while the last are being listed. */
  async #work(run: Run, dataset: Store): Promise<{ end: 'completed' | 'cancelled'; facts: WorkFacts }> {
    const { output, set, connection, queueName, priority, log, times, hasOwnWorkers = false } = this.#options
    const progress = this.#progress
    const shards = new Shards(output, set.id, run.run)
    const work = new WorkLog()
    let isListed = false

    const stop = new AbortController()
    const signal = AbortSignal.any([this.#signal, stop.signal])
    const queue = new ShardQueue({
      connection,
      queueName,
      job: {
        run: run.run,
        output: output.uri,
        ...(output.endpoint === undefined ? {} : { endpoint: output.endpoint }),
        set: set.id,
      },
      priority,
      listeners: {
        onResult: (shard, result) => {
          work.add(result, performance.now())
          progress.shardEnded(shard, result)
          if (result.outcome === 'cancelled') following.wake()
          else shards.markDone(shard)
          progress.committed(shards)
          if (isListed && shards.missingCount === 0) following.wake()
        },
        onProgress: (shard, counts) => progress.shardAdvanced(shard, counts),
        onFailed: (shard, reason) => {
          progress.shardLeft(shard)
          following.failed(shard, reason)
        },
      },
      log,
    })
    const following = new Following({
      output,
      set: set.id,
      run: run.run,
      shards,
      queue,
      isListed: () => isListed,
      signal,
      // Said by whoever shows progress: logged here as well, each would be told twice.
      onMessage: (message, isLogged) => progress.update({ message, isLogged }),
      lonelyMessage: hasOwnWorkers
        ? null
        : `no headlight worker is at work on this Redis; start one, here or anywhere: headlight worker --redis ${connection.description}`,
      onRecordsListed: () => progress.committed(shards),
      ...(times?.follow === undefined ? {} : { times: times.follow }),
    })
    try {
      progress.update({ phase: 'listing', message: undefined })
      // A run that has only just been opened has left nothing yet.
      if (run.run !== this.#begun) await this.#patience.call(output, () => shards.refresh())
      const listing = this.#list(run, dataset, shards, queue, following, signal).then(() => {
        isListed = true
        if (shards.missingCount > 0) progress.update({ phase: 'computing' })
        following.wake()
      })
      // A run that is cancelled stops listing; a listing that fails stops following.
      const ended = new DOMException('nothing is followed any more', 'AbortError')
      const followed = following.end().finally(() => stop.abort(ended))
      listing.catch((error: unknown) => stop.abort(error))
      const [listed, end] = await Promise.allSettled([listing, followed])
      if (end.status === 'fulfilled') return { end: end.value, facts: work.facts() }
      this.#signal.throwIfAborted()
      throw listed.status === 'rejected' && listed.reason !== ended ? listed.reason : end.reason
    } finally {
      await queue.close()
    }
  }

  async #list(
    run: Run,
    dataset: Store,
    shards: Shards,
    queue: ShardQueue,
    following: Following,
    signal: AbortSignal,
  ): Promise<void> {
    const { set, shardSize, partEntries, onWork = () => undefined } = this.#options
    const progress = this.#progress
    // Ended with the listing, not only with the run.
    const patience = patienceFor(this.#options, progress, signal)
    const output = new PatientStore(this.#options.output, patience)
    const whole = new PatientStore(dataset, patience)
    const { base, retry } = run
    const asked = async function* () {
      for await (const row of stateRows(output, set.id, base, ['key', 'status', 'code'])) {
        yield { key: row.key, isAsked: isAsked(row, retry) }
      }
    }
    const enqueue = async (part: PartOutline) => {
      const missing = shards.add(part)
      if (missing.length > 0) onWork()
      progress.committed(shards)
      // When the run is resumed, following adds what is missing then.
      if (following.isPaused) return
      await queue.add(missing).catch((error: unknown) => {
        // The listing goes on without Redis: following finds that the queue lacks these shards and adds them.
        if (!(error instanceof TransientError)) throw error
        progress.update({ message: error.message, isLogged: true })
      })
    }
    // Before a long computation that nobody expects, people are told how long: so none of it begins until all is listed.
    const isCounted =
      base !== null && retry === undefined && !run.full && this.#adapter.overview?.().isReadAnew === true
    const held: PartOutline[] = []
    let readAnew = 0
    const done = await enumerate({
      // Keys of faces come in another order than those of their images, so that a listing of some cannot be cut by them.
      dataset: retry === undefined || this.#adapter.imageKey !== undefined ? whole : nearListing(whole, asked),
      adapter: this.#adapter,
      manifest: new Manifest(output, set.id, run.run),
      state: stateRows(output, set.id, run.base, ['key', 'fingerprint', 'status', 'code']),
      isNew: run.run === this.#begun,
      full: run.full,
      retry: run.retry,
      shardSize,
      ...(partEntries === undefined ? {} : { partEntries }),
      signal,
      onPart: async ({ part, count, shardSize: size }) => {
        const outline = { part, count, shardSize: size }
        if (isCounted) held.push(outline)
        else await enqueue(outline)
      },
      onEntry: onWork,
      onListed: (listed) => {
        readAnew = listed.readAnew
        progress.update({ listed: listed.listed, unchanged: listed.unchanged })
      },
    })
    if (readAnew > 0) {
      const images = readAnew === 1 ? '1 image is' : `${readAnew} images are`
      const message = `${images} computed again only because more of the index is read than by earlier versions of headlight`
      this.#log.warn({ run: run.run, images: readAnew }, message)
    }
    for (const outline of held) await enqueue(outline)
    progress.update({ listed: done.toCompute + done.unchanged, unchanged: done.unchanged, toCompute: done.toCompute })
  }

  async #close(run: Run, state: 'completed' | 'cancelled', work: WorkFacts): Promise<Summary> {
    const { output, set, openDataset, prune = false, keepRuns = run.keepRuns, headlightVersion } = this.#options
    const { report = run.report ?? true } = this.#options
    this.#progress.update({ phase: 'finalizing', message: undefined, report: report ? undefined : null })
    return finalize({
      output,
      openDataset,
      set,
      run,
      state,
      prune: prune || run.prune === true,
      keepRuns,
      report,
      work,
      headlightVersion,
      patience: this.#patience,
      confirmHold: async () => {
        this.#signal.throwIfAborted()
        await this.#hold.confirm()
      },
      say: (message) => this.#progress.update({ message, isLogged: true }),
      onReport: (progress) => this.#progress.update({ report: progress }),
      log: this.#log.child({ run: run.run }),
    })
  }
}
