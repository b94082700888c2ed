import { SampleError, type ErrorCode } from '../../../base/errors.ts'
import { imageKeyOf, type Adapter, type Sample } from '../../../dataset/adapter.ts'
import { blankAround } from '../../../dataset/indexKey.ts'
import { LeftOutTally, type LeftOut } from '../../../dataset/leftOut.ts'
import { readTruth } from '../../../dataset/unusableLabel.ts'
import { refuseKey } from '../../../output/layout.ts'
import type { Store } from '../../../storage/store.ts'

/** What is wrong with some samples, told by one of them. */
export interface Finding {
  readonly code: ErrorCode
  readonly count: number
  readonly example: { readonly key: string; readonly message: string }
}

/** Labels that cannot be used, though the samples' maps can be computed. */
export type UnusableLabels = Omit<Finding, 'code'>

/** Counts faults by code and keeps the first of each. */
export class Findings {
  readonly #byCode = new Map<ErrorCode, Finding>()
  #unusable: UnusableLabels | undefined

  add(code: ErrorCode, key: string, message: string): void {
    const known = this.#byCode.get(code)
    this.#byCode.set(code, known ? { ...known, count: known.count + 1 } : { code, count: 1, example: { key, message } })
  }

  has(code: ErrorCode): boolean {
    return this.#byCode.has(code)
  }

  addUnusableLabel(key: string, message: string): void {
    const known = this.#unusable
    this.#unusable = known ? { ...known, count: known.count + 1 } : { count: 1, example: { key, message } }
  }

  get unusableLabels(): UnusableLabels | undefined {
    return this.#unusable
  }

  /** The most frequent first. */
  list(): Finding[] {
    return [...this.#byCode.values()].toSorted((a, b) => b.count - a.count)
  }
}

export interface Survey {
  /** All samples, also those with a fault. */
  readonly samples: number
  /** Samples that may have a map, as far as the listing shows, evenly spaced over it. */
  readonly chosen: readonly Sample[]
  /** Faults that the listing itself shows. */
  readonly findings: readonly Finding[]
  /** Of those that the listing itself shows. */
  readonly unusableLabels: UnusableLabels | undefined
  readonly leftOut: LeftOut
}

/** Lists a dataset once, in constant memory, and chooses at most `wanted` samples, evenly spaced. */
export async function survey(adapter: Adapter, dataset: Store, wanted: number): Promise<Survey> {
  const findings = new Findings()
  const leftOut = new LeftOutTally()
  let samples = 0
  let sound = 0
  let stride = 1
  let kept: Sample[] = []
  for await (const sample of adapter.samples(dataset, undefined, leftOut)) {
    samples++
    const refused = refuseKey(sample.key) ?? (sample.isGarbled === true ? 'bad-key' : undefined)
    if (refused !== undefined) {
      const why = adapter.whyBadKey?.(dataset, sample.key)
      findings.add(refused, sample.key, why ?? 'The key cannot be laid out below the output.')
      continue
    }
    if (sample.etag === '') {
      findings.add('vanished', sample.key, await whyVanished(adapter, dataset, sample, findings.has('vanished')))
      continue
    }
    // Only a worker's own reading tells which faults cost the map, and what a record says of them.
    if (sample.truth?.fault !== undefined && !(await canBeRead(adapter, dataset, sample, findings))) continue
    if (sound++ % stride === 0) {
      kept.push(sample)
      // Twice as many as wanted: every other one goes, and from now on every other one is passed over.
      if (kept.length === 2 * wanted) {
        kept = kept.filter((_, index) => index % 2 === 0)
        stride *= 2
      }
    }
  }
  return {
    samples,
    chosen: evenly(kept, wanted),
    findings: findings.list(),
    unusableLabels: findings.unusableLabels,
    leftOut: leftOut.counts(),
  }
}

/** Asks the store only for the first, which is the one that is shown. */
async function whyVanished(adapter: Adapter, dataset: Store, sample: Sample, isKnown: boolean): Promise<string> {
  if (sample.truth === undefined) return 'It is a link that leads nowhere.'
  const blank = isKnown ? undefined : await blankAround(dataset, imageKeyOf(adapter, sample.key))
  return `The index names it, but the dataset lacks it${blank === undefined ? '' : `: ${blank}`}.`
}

/** Whether a sample with a fault has a map all the same. */
async function canBeRead(adapter: Adapter, dataset: Store, sample: Sample, findings: Findings): Promise<boolean> {
  try {
    const { labelFault } = await readTruth(adapter, dataset, sample)
    if (labelFault !== undefined) findings.addUnusableLabel(sample.key, labelFault)
    return true
  } catch (error) {
    if (!(error instanceof SampleError)) throw error
    findings.add(error.code, sample.key, error.message)
    return false
  }
}

function evenly(samples: readonly Sample[], wanted: number): Sample[] {
  if (samples.length <= wanted) return [...samples]
  const places = new Set(Array.from({ length: wanted }, (_, index) => Math.floor((index * samples.length) / wanted)))
  return samples.filter((_, index) => places.has(index))
}
