import type { RunProgress } from '../producer/progress.ts'

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
      return [progress.message ?? 'writing the table and the report', ...failures(failed)]
    case 'listing':
    case 'computing': {
      const speed = imagesPerSecond === null ? [] : [`${speedText(imagesPerSecond)} images/s`]
      const message = progress.message === undefined ? [] : [progress.message]
      if (toCompute === null) {
        const done = computed > 0 ? [`${number(computed)} done`] : []
        return [`listing, ${number(progress.listed)} images so far`, ...done, ...speed, ...failures(failed), ...message]
      }
      const share = toCompute === 0 ? 100 : Math.floor((100 * computed) / toCompute)
      const left = imagesPerSecond ? [`${duration((toCompute - computed) / imagesPerSecond)} left`] : []
      const unchanged = progress.unchanged > 0 ? [`${number(progress.unchanged)} unchanged`] : []
      return [
        `${number(computed)}/${number(toCompute)} images (${share} %)`,
        ...left,
        ...speed,
        ...failures(failed),
        ...unchanged,
        ...message,
      ]
    }
  }
}

function failures(failed: number): string[] {
  return [`${number(failed)} failed`]
}

/** 1234567 → `1,234,567`. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

function speedText(imagesPerSecond: number): string {
  return imagesPerSecond < 10 ? imagesPerSecond.toFixed(1) : number(Math.round(imagesPerSecond))
}

/** 75 → `1:15`, 7,322 → `2:02:02`, 180,000 → `2 d 2 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  const whole = Math.max(0, Math.ceil(seconds))
  const hours = Math.floor(whole / 3600)
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`
  const minutes = Math.floor(whole / 60) % 60
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** Images per second over the last half minute: an average since the start would hide that a worker was lost. */
export class RateMeter {
  readonly #samples: { readonly atMs: number; readonly computed: number }[] = []
  readonly #windowMs: number

  constructor(windowMs = 30_000) {
    this.#windowMs = windowMs
  }

  /** `computed` may fall (a shard was handed back); the measurement then starts again. */
  add(atMs: number, computed: number): void {
    const last = this.#samples.at(-1)
    if (last && computed < last.computed) this.#samples.length = 0
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
