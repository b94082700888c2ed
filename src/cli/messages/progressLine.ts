import type { RunProgress } from '../../producer/progress.ts'
import { duration, number, rateText } from './quantities.ts'

/**
 * One line of at most `columns` characters, the most important first: what does not fit is left out whole, and only a
 * single part that is too wide alone is cut.
 */
export function progressLine(progress: RunProgress, imagesPerSecond: number | null, columns: number): string {
  const parts = progressParts(progress, imagesPerSecond)
  let line = ''
  for (const part of parts) {
    const longer = line === '' ? part : `${line} · ${part}`
    if (longer.length > columns) break
    line = longer
  }
  if (line !== '') return line
  const [first = ''] = parts
  return columns < 2 ? '' : `${first.slice(0, columns - 1)}…`
}

function progressParts(progress: RunProgress, imagesPerSecond: number | null): string[] {
  const { phase, toCompute, computed, failed } = progress
  switch (phase) {
    case 'waiting':
      return [progress.message ?? 'waiting']
    case 'finalizing':
      return [progress.message ?? finalizingText(progress), ...failures(failed)]
    case 'listing':
    case 'computing': {
      const speed = imagesPerSecond === null ? [] : [rateText(imagesPerSecond)]
      const message = progress.message === undefined ? [] : [progress.message]
      if (toCompute === null) {
        const done = computed > 0 ? [`${number(computed)} done`] : []
        return [`listing, ${number(progress.listed)} images so far`, ...message, ...done, ...speed, ...failures(failed)]
      }
      const share = toCompute === 0 ? 100 : Math.floor((100 * computed) / toCompute)
      const left = imagesPerSecond ? [`${duration((toCompute - computed) / imagesPerSecond)} left`] : []
      const unchanged = progress.unchanged > 0 ? [`${number(progress.unchanged)} unchanged`] : []
      return [
        `${number(computed)}/${number(toCompute)} images (${share} %)`,
        ...message,
        ...left,
        ...speed,
        ...failures(failed),
        ...unchanged,
      ]
    }
  }
}

/** Of the phase `finalizing`: when nothing was computed there is nothing that takes long, but for a report that is due. */
export function finalizingText({ toCompute, report }: RunProgress): string {
  if (report) return `drawing the report, ${number(report.drawn)}/${number(report.of)} images`
  if (toCompute === 0) return 'nothing to compute'
  return report === null ? 'writing the table' : 'writing the table and the report'
}

function failures(failed: number): string[] {
  return [`${number(failed)} failed`]
}

/**
 * Images per second over the last half minute: an average since the start would hide that a worker was lost. The clock
 * starts with the first image that is done, not with the units that had to start before it.
 */
export class RateMeter {
  readonly #samples: { readonly atMs: number; readonly computed: number }[] = []
  readonly #windowMs: number
  #before: number | undefined

  constructor(windowMs = 30_000) {
    this.#windowMs = windowMs
  }

  /** `computed` may fall (a shard was handed back); the measurement then starts again. */
  add(atMs: number, computed: number): void {
    this.#before ??= computed
    const last = this.#samples.at(-1)
    if (last && computed < last.computed) {
      this.#samples.length = 0
      this.#before = computed
    }
    if (this.#samples.length === 0 && computed <= this.#before) return
    // Ten samples a second say no more than one and would fill the list.
    if (last && this.#samples.length > 1 && atMs - last.atMs < 200 && computed === last.computed) return
    this.#samples.push({ atMs, computed })
    // One sample older than the window stays as its beginning.
    while ((this.#samples[1]?.atMs ?? Infinity) <= atMs - this.#windowMs) this.#samples.shift()
  }

  /** Null before anything was computed in the window. */
  perSecond(): number | null {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (!first || !last || last.atMs - first.atMs < 500 || last.computed === first.computed) return null
    return ((last.computed - first.computed) * 1000) / (last.atMs - first.atMs)
  }
}
