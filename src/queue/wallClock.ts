/** In no zone has a clock ever been this far from UTC. */
const farthestMs = 16 * 3_600_000
/** No zone has ever changed its clock and changed it back within a week. */
const weekMs = 7 * 86_400_000

/**
 * The clock on the wall of a time zone. What it shows is given in milliseconds as if the wall stood in UTC, so that it can
 * be reckoned with: there every day has 24 hours and nothing is left out or comes twice.
 */
export class WallClock {
  readonly #format: Intl.DateTimeFormat

  /** RangeError for a zone that is none. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** What it shows at an instant. */
  at(instantMs: number): number {
    return instantMs + this.#aheadMs(instantMs)
  }

  /**
   * The first instant at which it shows this time or a later one. A time that comes twice is its first coming; of a time
   * that a change leaves out it is the change, be it of half an hour, at midnight or over a whole day.
   */
  first(wallMs: number): number {
    const before = wallMs - farthestMs
    const instant = wallMs - this.#aheadMs(before)
    const change = this.changeAfter(before, wallMs + farthestMs)
    if (change === undefined || instant < change) return instant
    return Math.max(change, wallMs - this.#aheadMs(change))
  }

  /** When it is next put forward or back, after the one instant and not after the other. */
  changeAfter(afterMs: number, untilMs: number): number | undefined {
    const aheadMs = this.#aheadMs(afterMs)
    for (let from = afterMs; from < untilMs; from += weekMs) {
      const to = Math.min(from + weekMs, untilMs)
      if (this.#aheadMs(to) !== aheadMs) return this.#changeBetween(from, to)
    }
    return undefined
  }

  #changeBetween(fromMs: number, toMs: number): number {
    const aheadMs = this.#aheadMs(fromMs)
    let [before, after] = [fromMs, toMs]
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (this.#aheadMs(middle) === aheadMs) before = middle
      else after = middle
    }
    return after
  }

  /** By how much it is ahead of UTC. */
  #aheadMs(instantMs: number): number {
    // It shows no fractions of seconds, and changes at none.
    const second = Math.floor(instantMs / 1_000) * 1_000
    const [month = 0, day = 0, year = 0, hours = 0, minutes = 0, seconds = 0] = this.#format
      .format(second)
      .split(/\D+/)
      .map(Number)
    return Date.UTC(year, month - 1, day, hours, minutes, seconds) - second
  }
}
