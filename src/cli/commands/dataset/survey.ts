import type { ErrorCode } from '../../../base/errors.ts'
import type { Adapter, Sample } from '../../../dataset/adapter.ts'
import { LeftOutTally, type LeftOut } from '../../../dataset/leftOut.ts'
import { refuseKey } from '../../../output/layout.ts'
import type { Store } from '../../../storage/store.ts'

/** What is wrong with some samples, told by one of them. */
export interface Finding {
  readonly code: ErrorCode
  readonly count: number
  readonly example: { readonly key: string; readonly message: string }
}

/** Counts faults by code and keeps the first of each. */
export class Findings {
  readonly #byCode = new Map<ErrorCode, Finding>()

  add(code: ErrorCode, key: string, message: string): void {
    const known = this.#byCode.get(code)
    this.#byCode.set(code, known ? { ...known, count: known.count + 1 } : { code, count: 1, example: { key, message } })
  }

  /** The most frequent first. */
  list(): Finding[] {
    return [...this.#byCode.values()].toSorted((a, b) => b.count - a.count)
  }
}

export interface Survey {
  /** All samples, also those with a fault. */
  readonly samples: number
  /** Samples without a fault so far, evenly spaced over the listing. */
  readonly chosen: readonly Sample[]
  /** Faults that the listing itself shows. */
  readonly findings: readonly Finding[]
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
    } else if (sample.etag === '') {
      const isNamed = sample.truth !== undefined
      const message = isNamed ? 'The index names it, but the dataset lacks it.' : 'It is a link that leads nowhere.'
      findings.add('vanished', sample.key, message)
    } else if (sample.truth?.fault !== undefined) findings.add('bad-label', sample.key, sample.truth.fault)
    else if (sound++ % stride === 0) {
      kept.push(sample)
      // Twice as many as wanted: every other one goes, and from now on every other one is passed over.
      if (kept.length === 2 * wanted) {
        kept = kept.filter((_, index) => index % 2 === 0)
        stride *= 2
      }
    }
  }
  return { samples, chosen: evenly(kept, wanted), findings: findings.list(), leftOut: leftOut.counts() }
}

function evenly(samples: readonly Sample[], wanted: number): Sample[] {
  if (samples.length <= wanted) return [...samples]
  const places = new Set(Array.from({ length: wanted }, (_, index) => Math.floor((index * samples.length) / wanted)))
  return samples.filter((_, index) => places.has(index))
}
