import type { Degrees } from '../pose/euler.ts'

const margins = { left: 38, top: 10, bottom: 34, right: 12 }
const plotWidth = 250

/**
 * The axes of one chart: a horizontal range of degrees [−limit, limit] and a drawing area, in SVG units that the page
 * scales to its column. Inside the page, so that its style sheet colours them for light and dark.
 */
export class PlotFrame {
  readonly left = margins.left
  readonly top = margins.top
  readonly width = plotWidth
  readonly height: number
  /** The lower edge of the drawing area. */
  readonly base: number
  readonly #limit: Degrees

  constructor(limit: Degrees, height: number) {
    this.#limit = limit
    this.height = height
    this.base = margins.top + height
  }

  x(degrees: Degrees): number {
    return this.left + ((degrees + this.#limit) / (2 * this.#limit)) * this.width
  }

  /** Upwards, over the same range as the horizontal axis. */
  y(degrees: Degrees): number {
    return this.base - ((degrees + this.#limit) / (2 * this.#limit)) * this.height
  }

  tickBelow(degrees: Degrees): string {
    return `<text x="${short(this.x(degrees))}" y="${this.base + 14}" text-anchor="middle">${signed(degrees)}</text>`
  }

  tickBeside(y: number, text: string): string {
    return `<text x="${this.left - 5}" y="${short(y)}" text-anchor="end">${text}</text>`
  }

  nameBelow(name: string): string {
    return `<text class="name" x="${this.left + this.width / 2}" y="${this.base + 30}" text-anchor="middle">${name}</text>`
  }

  nameBeside(name: string): string {
    const middle = this.top + this.height / 2
    return `<text class="name" x="9" y="${middle}" text-anchor="middle" transform="rotate(-90 9 ${middle})">${name}</text>`
  }

  /** The finished SVG element. `name` is what a screen reader says for it. */
  svg(name: string, parts: readonly string[]): string {
    const size = `${this.left + this.width + margins.right} ${this.base + margins.bottom}`
    return `<svg viewBox="0 0 ${size}" role="img" aria-label="${name}">${parts.join('')}</svg>`
  }
}

/** A coordinate with up to one decimal: paths stay short. */
export function short(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** With a true minus sign. */
export function signed(degrees: Degrees): string {
  return degrees < 0 ? `−${-degrees}` : String(degrees)
}
