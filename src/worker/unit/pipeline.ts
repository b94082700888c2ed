import { SampleError } from '../../base/errors.ts'
import type { Adapter } from '../../dataset/adapter.ts'
import { magnitudeBlock } from '../../output/magnitudeFile.ts'
import type { ManifestEntry } from '../../output/manifest.ts'
import type { Record as SampleRecord } from '../../output/record.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { ShardJob } from '../../queue/jobs.ts'
import { notFiniteError, type Explanation, type NotFinite } from '../../saliency/explainer.ts'
import { classesOf, type Description } from '../../saliency/networks/description.ts'
import { readsClasses } from '../../saliency/objective.ts'
import type { Store } from '../../storage/store.ts'
import type { Measurements } from '../measurements.ts'
import type { RetryPolicy, StoreCall } from '../storeCall.ts'
import type { Verdict } from '../suspicion.ts'
import type { EngineTurn } from './engineTurns.ts'
import { failedRecord, okRecord } from './makeRecord.ts'
import { ResultSink, type SmallMaps } from './sink.ts'
import { SampleSource, type DecodeLimits, type PreparedSample } from './source.ts'

/** What computes batches for the pipeline. */
export interface ShardEngine {
  readonly engine: string
  readonly batch: number
  /**
   * Takes at most `batch` images and their buffers for good, with the class of each where an objective reads it. Calls
   * queue: a second one may be made while the first computes, so that the engine never waits for the thread that feeds it.
   */
  explain(
    images: readonly Uint8Array[],
    classes?: readonly number[],
  ): Promise<{ explanations: readonly (Explanation | NotFinite)[]; engineMs: number }>
}

/** One image at a time, for a shard on which units died. */
export interface AloneMode {
  /**
   * Called and awaited when the image has been fetched and is about to be decoded: a store that hangs or a fetch that is
   * killed must not be held against the image.
   */
  readonly announce: (key: string) => Promise<void>
  /** Called before the next image is fetched: the last one is done and no longer suspected. */
  readonly clear: () => void
  /** Keys that units died on alone, with the code of the failed record that they become unseen. */
  readonly convicted: ReadonlyMap<string, Verdict>
}

export interface ShardWork {
  readonly job: ShardJob
  readonly set: ResultSet
  readonly description: Description
  readonly dataset: Store
  readonly output: Store
  readonly adapter: Adapter
  /** Opens the engine, which may take seconds; not called when the shard is committed already. */
  readonly engine: () => Promise<ShardEngine>
  /** Reads the shard's entries; not called when the shard is committed already. */
  readonly entries: () => Promise<readonly ManifestEntry[]>
  readonly fetchConcurrency: number
  /** Shared by all shards of a process. */
  readonly decodeLimits: DecodeLimits
  /** When this shard may use the engine; until then it fetches and decodes ahead. */
  readonly turn: EngineTurn
  readonly retries: RetryPolicy
  readonly lastAttempt: boolean
  readonly alone: AloneMode | null
  /** An abort stops all puts at once; the call then rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** Called when the engine is this shard's, before its first batch. */
  readonly onTurn: () => void
  /** Called at every step forward, so also a sign of life. `computed` counts the failed ones too. */
  readonly onStep: (done: { computed: number; failed: number }) => void
  readonly measurements: Measurements
  /** See `StoreCall`. */
  readonly onPending: (change: 1 | -1) => void
}

export interface ShardYield {
  /** False when the record file was there already. */
  readonly written: boolean
  /** Records of the shard, failed ones included. */
  readonly computed: number
  readonly failed: number
  /** Name of the engine; null when it was not needed. */
  readonly engine: string | null
  /** Time the engine took, of one thread. */
  readonly engineMs: number
}

const verdicts: Readonly<Record<Verdict, string>> = { 'kills-unit': 'died', 'hangs-unit': 'fell silent' }

/** Calls that may be at the engine at a time: one that computes, one that is ready when it ends. */
const engineDepth = 2

/**
 * Computes one shard: fetch → decode → engine → encode → put, each stage bounded, results in manifest order, and the
 * record file last of all. Rejects with PlaceError or TransientError when the shard cannot go on; then nothing is
 * committed and no put is under way any more.
 */
export async function computeShard(work: ShardWork): Promise<ShardYield> {
  return new ShardRun(work).run()
}

interface ReadySample {
  readonly index: number
  readonly entry: ManifestEntry
  readonly prepared: PreparedSample
}

class ShardRun {
  readonly #work: ShardWork
  readonly #source: SampleSource
  readonly #sink: ResultSink
  readonly #abort = new AbortController()
  readonly #tasks = new Set<Promise<void>>()
  readonly #writes = new Set<Promise<void>>()
  #records: (SampleRecord | undefined)[] = []
  #smallMaps: (SmallMaps | undefined)[] = []
  #engine: ShardEngine | undefined
  #computed = 0
  #failed = 0
  #engineMs = 0

  constructor(work: ShardWork) {
    this.#work = work
    const { input } = work.description
    const storeCall: StoreCall = {
      retries: work.retries,
      signal: this.#abort.signal,
      onRetry: () => this.#step(),
      onPending: work.onPending,
    }
    this.#source = new SampleSource({
      dataset: work.dataset,
      adapter: work.adapter,
      options: work.set.options,
      rule: input,
      classes: readsClasses(work.set.options.objectives) ? classesOf(work.description) : null,
      fetchConcurrency: work.fetchConcurrency,
      decodeLimits: work.decodeLimits,
      storeCall,
      lastAttempt: work.lastAttempt,
      measurements: work.measurements,
    })
    const { output, set, measurements } = work
    this.#sink = new ResultSink({ output, set, input, storeCall, measurements })
  }

  async run(): Promise<ShardYield> {
    const stop = () => this.#abort.abort(this.#work.signal.reason)
    this.#work.signal.addEventListener('abort', stop, { once: true })
    try {
      if (this.#work.signal.aborted) stop()
      const reading = this.#work.entries()
      // Of a shard that is done nobody asks for them.
      reading.catch(() => undefined)
      if (await this.#sink.isCommitted(this.#work.job)) return this.#yield(false)
      const entries = await reading
      this.#engine = await this.#unlessAborted(this.#work.engine())
      await this.#computeAll(entries, this.#engine)
      const smallMaps = this.#smallMaps.filter((maps) => maps !== undefined)
      return this.#yield(await this.#sink.commit(this.#work.job, this.#complete(), smallMaps))
    } catch (error) {
      this.#abort.abort(error)
      // Whoever hears of the failure may hand the shard to another unit at once: nothing may still be writing then.
      while (this.#tasks.size > 0) await Promise.race(this.#tasks)
      throw this.#abort.signal.reason
    } finally {
      this.#work.signal.removeEventListener('abort', stop)
      this.#work.turn.pass()
    }
  }

  async #computeAll(entries: readonly ManifestEntry[], engine: ShardEngine): Promise<void> {
    const { alone, fetchConcurrency, turn } = this.#work
    this.#records = Array.from({ length: entries.length })
    this.#smallMaps = Array.from({ length: entries.length })
    const depth = alone ? 1 : engineDepth
    const unwritten = alone ? 1 : fetchConcurrency + engineDepth * engine.batch
    const atEngine = new Set<Promise<void>>()
    let isOurTurn = false
    for await (const batch of this.#batches(entries, engine.batch)) {
      if (!isOurTurn) {
        await this.#unlessAborted(turn.come)
        isOurTurn = true
        this.#work.onTurn()
      }
      while (atEngine.size >= depth) await Promise.race(atEngine)
      while (this.#writes.size >= unwritten) await Promise.race(this.#writes)
      this.#abort.signal.throwIfAborted()
      const call = this.#track(this.#explain(batch, engine)).finally(() => atEngine.delete(call))
      atEngine.add(call)
      if (alone) await this.#settled()
    }
    // Our last batch is with the engine; the next shard's may queue behind it while ours is written.
    turn.pass()
    await this.#settled()
    // Whatever kills the unit during the commit says nothing about the last image.
    alone?.clear()
  }

  /** Full batches in manifest order; samples that fail before the engine leave no gap. */
  async *#batches(entries: readonly ManifestEntry[], engineBatch: number): AsyncGenerator<ReadySample[]> {
    const { alone, fetchConcurrency } = this.#work
    // Beyond the batch being gathered, two batches must lie decoded while the engine works.
    const window = alone ? 1 : Math.max(fetchConcurrency, 3 * engineBatch)
    const size = alone ? 1 : engineBatch
    const ahead: Promise<ReadySample | undefined>[] = []
    let started = 0
    let batch: ReadySample[] = []
    for (let index = 0; index < entries.length; index++) {
      for (; started < Math.min(entries.length, index + window); started++) ahead.push(this.#start(started, entries))
      const ready = await ahead.shift()
      this.#abort.signal.throwIfAborted()
      if (ready) batch.push(ready)
      if (batch.length === size || (batch.length > 0 && index === entries.length - 1)) {
        yield batch
        batch = []
      }
    }
  }

  /** Never rejects: a fault of the sample becomes its record, any other aborts the shard. */
  async #start(index: number, entries: readonly ManifestEntry[]): Promise<ReadySample | undefined> {
    const entry = entries[index]
    if (!entry) return undefined
    let ready: ReadySample | undefined
    await this.#track(
      (async () => {
        try {
          const prepared = await this.#prepare(entry)
          ready = { index, entry, prepared }
          this.#step()
        } catch (error) {
          if (!(error instanceof SampleError)) throw error
          this.#finish(index, failedRecord(entry, error.code, error.message))
        }
      })(),
    )
    return ready
  }

  async #prepare(entry: ManifestEntry): Promise<PreparedSample> {
    const { alone } = this.#work
    this.#abort.signal.throwIfAborted()
    const verdict = alone?.convicted.get(entry.key)
    if (verdict !== undefined)
      throw new SampleError(verdict, `computing units ${verdicts[verdict]} twice on ${JSON.stringify(entry.key)} alone`)
    alone?.clear()
    return this.#source.prepare(entry, async () => alone?.announce(entry.key))
  }

  async #explain(batch: readonly ReadySample[], engine: ShardEngine): Promise<void> {
    const images = batch.map(({ prepared }) => prepared.pixels)
    const classes = batch.flatMap(({ prepared }) => prepared.class ?? [])
    const { explanations, engineMs } = await engine.explain(images, ...(classes.length > 0 ? [classes] : []))
    this.#engineMs += engineMs
    this.#work.measurements.add('engine', engineMs)
    this.#step()
    for (const [at, sample] of batch.entries()) {
      const explanation = explanations[at]
      if (!explanation) throw new Error(`the engine ${engine.engine} left out ${sample.entry.key}`)
      if ('notFinite' in explanation) {
        const { code, message } = notFiniteError(explanation)
        this.#finish(sample.index, failedRecord(sample.entry, code, message))
        continue
      }
      const write = this.#track(this.#write(sample, explanation)).finally(() => this.#writes.delete(write))
      this.#writes.add(write)
    }
  }

  async #write({ index, entry, prepared }: ReadySample, explanation: Explanation): Promise<void> {
    const { set, description } = this.#work
    this.#abort.signal.throwIfAborted()
    try {
      await this.#sink.putPictures(entry, explanation)
    } catch (error) {
      // Only the file system knows every name that it cannot hold, and only when it is asked to write it.
      if (!(error instanceof SampleError)) throw error
      this.#finish(index, failedRecord(entry, error.code, error.message))
      return
    }
    const { grey, truth, labelFault, view } = prepared
    this.#smallMaps[index] = { magnitudes: magnitudeBlock(explanation, set.options.objectives), input: grey }
    this.#finish(index, okRecord(entry, truth, view, explanation, description, set.options, labelFault))
  }

  #finish(index: number, record: SampleRecord): void {
    this.#records[index] = record
    this.#computed++
    if (record.status === 'failed') this.#failed++
    this.#work.measurements.imageDone(record.status === 'failed' ? record.code : null)
    this.#step()
  }

  #complete(): SampleRecord[] {
    const records = this.#records.filter((record) => record !== undefined)
    if (records.length !== this.#records.length) throw new Error('a sample of the shard was left out')
    return records
  }

  /** Settles, never rejecting, when `task` does; its error aborts the shard. The first error is the one that counts. */
  #track(task: Promise<void>): Promise<void> {
    const tracked = task.catch((error: unknown) => this.#abort.abort(error)).finally(() => this.#tasks.delete(tracked))
    this.#tasks.add(tracked)
    return tracked
  }

  /** For waiting on what serves other shards too, and so is not ended by this one's abort. */
  async #unlessAborted<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#abort
    return await new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason)
      if (signal.aborted) stop()
      signal.addEventListener('abort', stop, { once: true })
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    })
  }

  async #settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.race(this.#tasks)
    this.#abort.signal.throwIfAborted()
  }

  #step(): void {
    this.#work.onStep({ computed: this.#computed, failed: this.#failed })
  }

  #yield(written: boolean): ShardYield {
    const engine = this.#engine?.engine ?? null
    return { written, computed: this.#computed, failed: this.#failed, engine, engineMs: this.#engineMs }
  }
}
