import type { Pose } from './euler.ts'

/** A bit more than 2π. */
const largestRadians = 6.5

/** Notices labels that are written in radians: every angle is small, and they are no whole numbers. */
export class RadianHint {
  #poses = 0
  #isSmall = true
  /** A handful of nearly frontal heads is as small, but people round degrees. */
  #isWhole = true

  add(pose: Pose): void {
    this.#poses++
    for (const angle of [pose.yaw, pose.pitch, pose.roll]) {
      if (Math.abs(angle) > largestRadians) this.#isSmall = false
      if (!Number.isInteger(angle)) this.#isWhole = false
    }
  }

  /** A sentence for whoever gave the labels; undefined when they look like degrees. */
  hint(): string | undefined {
    if (this.#poses === 0 || !this.#isSmall || this.#isWhole) return undefined
    return `all labels lie within ±${largestRadians}: are they radians? headlight takes them as degrees; multiply them by 180/π`
  }
}
