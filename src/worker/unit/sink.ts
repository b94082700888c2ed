import { encodeNpy } from '../../image/npy.ts'
import { encodePng } from '../../image/png.ts'
import { layout } from '../../output/layout.ts'
import type { ManifestEntry } from '../../output/manifest.ts'
import type { Record as SampleRecord } from '../../output/record.ts'
import { recordLines } from '../../output/recordFile.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import { samplesMark } from '../../output/shardSamples.ts'
import type { ShardJob } from '../../queue/jobs.ts'
import type { Explanation, ObjectiveExplanation } from '../../saliency/explainer.ts'
import { channelsOf, type InputDescription } from '../../saliency/networks/description.ts'
import type { PutOptions, Store } from '../../storage/store.ts'
import type { Measurements } from '../measurements.ts'
import { callStore, type StoreCall } from '../storeCall.ts'

export interface SinkOptions {
  readonly output: Store
  readonly set: ResultSet
  readonly input: InputDescription
  readonly storeCall: StoreCall
  readonly measurements: Measurements
}

/** What lies beside the record file of one sample that did not fail. */
export interface SmallMaps {
  /** See `magnitudeBlock`. */
  readonly magnitudes: Uint8Array
  /** What the network saw, 28 × 28 levels of grey. */
  readonly input: Uint8Array
}

/** Writes what a shard yields: pictures as they come, and at the end the record file, which is the commit. */
export class ResultSink {
  readonly #o: SinkOptions

  constructor(options: SinkOptions) {
    this.#o = options
  }

  /** Whether the shard was committed already, by this worker or another. */
  async isCommitted(job: ShardJob): Promise<boolean> {
    const key = layout.recordFile(job.set, job.run, job.part, job.offset)
    return (await callStore(this.#o.storeCall, () => this.#o.output.head(key))) !== undefined
  }

  /** Puts one sample's maps and, where asked for, gradients. */
  async putPictures(entry: ManifestEntry, explanation: Explanation): Promise<void> {
    for (const objective of this.#o.set.options.objectives) {
      const shown = explanation.objectives[objective]
      if (!shown) throw new Error(`the explainer left out the objective ${objective}`)
      await this.#putMap(layout.map(objective, entry.key), shown)
      if (this.#o.set.options.gradients !== 'none')
        await this.#put(this.#inSet(layout.gradient(objective, entry.key)), this.#gradient(shown))
    }
  }

  /**
   * Puts the `.mag` and `.input` files and then the record file. False when the record file had appeared meanwhile, maybe
   * with other faults; its own two files then lie under a name of their own (`samplesMark`), and these disturb nobody.
   */
  async commit(job: ShardJob, records: readonly SampleRecord[], smallMaps: readonly SmallMaps[]): Promise<boolean> {
    const { set, run, part, offset } = job
    if (await this.isCommitted(job)) return false
    const ifAbsent = await callStore(this.#o.storeCall, () => this.#o.output.conditionalPut())
    if (smallMaps.length > 0) {
      const samples = samplesMark(records.map(({ status }) => status === 'ok'))
      await this.#putBoth(
        ifAbsent,
        [layout.magnitudeFile(set, run, part, offset, samples), smallMaps.map(({ magnitudes }) => magnitudes)],
        [layout.inputFile(set, run, part, offset, samples), smallMaps.map(({ input }) => input)],
      )
    }
    const type = { contentType: 'application/x-ndjson' }
    const options: PutOptions = ifAbsent ? { ...type, ifAbsent: true } : type
    const written = await this.#put(layout.recordFile(set, run, part, offset), recordLines(records), options)
    return written !== false
  }

  /**
   * Side by side; over when both are, since nothing may still be written once a failure is known. Never over a file that is
   * there, where the store can: the run may have been merged meanwhile, with the numbers of another worker's engine.
   */
  async #putBoth(
    ifAbsent: boolean,
    ...files: readonly (readonly [key: string, parts: readonly Uint8Array[]])[]
  ): Promise<void> {
    const options: PutOptions = ifAbsent ? { ifAbsent: true } : {}
    const puts = await Promise.allSettled(files.map(([key, parts]) => this.#put(key, Buffer.concat(parts), options)))
    for (const put of puts) if (put.status === 'rejected') throw put.reason
  }

  async #putMap(key: string, shown: ObjectiveExplanation): Promise<void> {
    const { input, set, storeCall, measurements } = this.#o
    storeCall.signal.throwIfAborted()
    const channels = set.options.style === 'magnitude' ? 1 : 3
    const png = await measurements.time('encode', () => encodePng(shown.map, input.width, input.height, channels))
    await this.#put(this.#inSet(key), png, { contentType: 'image/png' })
  }

  #gradient(shown: ObjectiveExplanation): Uint8Array {
    const { input, set } = this.#o
    if (!shown.gradient) throw new Error('the explainer left out the gradient')
    const stored =
      set.options.gradients === 'float16'
        ? ({ dtype: 'float16', maxAbs: shown.maxAbs } as const)
        : ({ dtype: 'float32' } as const)
    return encodeNpy(shown.gradient, [channelsOf(input.channels), input.height, input.width], stored)
  }

  #put(key: string, bytes: Uint8Array | string, options?: PutOptions): Promise<string | false> {
    const { storeCall, output, measurements } = this.#o
    return measurements.time('put', () => callStore(storeCall, () => output.put(key, bytes, options)))
  }

  #inSet(key: string): string {
    return `${this.#o.set.id}/${key}`
  }
}
