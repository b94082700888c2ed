import { readFileSync } from 'node:fs'

interface Life {
  readonly kind: string
  readonly began: number
  readonly samples: { readonly hours: number; readonly mb: number }[]
}

/** The processes there are now, by kind. */
type Alive = () => readonly { kind: string; pids: readonly (number | undefined)[] }[]

/** A process fills its caches and pools first; what it takes after that must stay. */
const warmUpMs = 60_000
const hourMs = 3_600_000

/** Follows the memory of processes that come and go. */
export class MemoryWatch {
  readonly #alive: Alive
  readonly #measuredMb: (pid: number) => number | undefined
  readonly #lives = new Map<number, Life>()
  readonly #peaks = new Map<string, { mb: number; lives: number }>()

  /** `measuredMb` is undefined for a process that is gone, or has not been measured yet. */
  constructor(alive: Alive, measuredMb: (pid: number) => number | undefined = residentMb) {
    this.#alive = alive
    this.#measuredMb = measuredMb
  }

  look(): void {
    const now = Date.now()
    for (const { kind, pids } of this.#alive()) {
      for (const pid of pids) {
        const mb = pid === undefined ? undefined : this.#measuredMb(pid)
        if (pid === undefined || mb === undefined) continue
        const peak = this.#peaks.get(kind) ?? { mb: 0, lives: 0 }
        const life = this.#lives.get(pid) ?? { kind, began: now, samples: [] }
        this.#peaks.set(kind, { mb: Math.max(peak.mb, mb), lives: peak.lives + (this.#lives.has(pid) ? 0 : 1) })
        this.#lives.set(pid, life)
        if (now - life.began > warmUpMs) life.samples.push({ hours: now / hourMs, mb })
      }
    }
  }

  /**
   * Up to a moment (ms since 1970): per kind one slope for all its processes, each with a level of its own, by least squares; the error is one standard
   * error, too small where samples of one process depend on each other.
   */
  slopes(
    until: number,
  ): { kind: string; lives: number; peakMb: number; slopeMbPerHour: number; errorMbPerHour: number }[] {
    return [...this.#peaks].map(([kind, { mb, lives }]) => {
      let [xx, xy, yy, count, levels] = [0, 0, 0, 0, 0]
      for (const life of [...this.#lives.values()].filter((life) => life.kind === kind)) {
        const samples = life.samples.filter(({ hours }) => hours * hourMs < until)
        if (samples.length < 2) continue
        const meanX = samples.reduce((sum, { hours }) => sum + hours, 0) / samples.length
        const meanY = samples.reduce((sum, { mb }) => sum + mb, 0) / samples.length
        for (const { hours, mb } of samples) {
          xx += (hours - meanX) ** 2
          xy += (hours - meanX) * (mb - meanY)
          yy += (mb - meanY) ** 2
        }
        count += samples.length
        levels++
      }
      const slope = xy / xx
      const error = Math.sqrt(Math.max(0, yy - slope * xy) / Math.max(1, count - levels - 1) / xx)
      return { kind, lives, peakMb: mb, slopeMbPerHour: slope, errorMbPerHour: error }
    })
  }
}

/** Linux only. */
function residentMb(pid: number): number | undefined {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    // It ended between two looks.
    return undefined
  }
}
