/** What an image goes through. `put` is one object, `engine` one batch, the others one image or one picture. */
export const stages = ['fetch', 'decode', 'engine', 'encode', 'put'] as const
export type Stage = (typeof stages)[number]

/** What a unit did since it last told. Plain data: it goes from process to process. */
export interface Measured {
  /** Every single time, so that whoever listens may sort them into ranges of their own. */
  readonly stageMs: Readonly<Partial<Record<Stage, readonly number[]>>>
  readonly computed: number
  /** Failed records by code. */
  readonly failures: Readonly<Record<string, number>>
}

/** Collects how long stages took and what became of images, between two reports. */
export class Measurements {
  #stageMs: Partial<Record<Stage, number[]>> = {}
  #computed = 0
  #failures: Record<string, number> = {}
  #isEmpty = true

  /** Times `action`, also one that fails: a store that times out is worth seeing. */
  async time<T>(stage: Stage, action: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      return await action()
    } finally {
      this.add(stage, performance.now() - startedAt)
    }
  }

  add(stage: Stage, ms: number): void {
    ;(this.#stageMs[stage] ??= []).push(ms)
    this.#isEmpty = false
  }

  /** `code`: of a failed record; null for one that was computed. */
  imageDone(code: string | null): void {
    if (code === null) this.#computed++
    else this.#failures[code] = (this.#failures[code] ?? 0) + 1
    this.#isEmpty = false
  }

  /** All since the last call; undefined when there was nothing. */
  take(): Measured | undefined {
    if (this.#isEmpty) return undefined
    const measured = { stageMs: this.#stageMs, computed: this.#computed, failures: this.#failures }
    this.#stageMs = {}
    this.#computed = 0
    this.#failures = {}
    this.#isEmpty = true
    return measured
  }
}
