import { short } from '../plotFrame.ts'

export interface ChartFrameOptions {
  readonly width: number
  readonly height: number
  readonly x: readonly [from: number, to: number]
  /** Upwards from 0. */
  readonly top: number
  /** Room for a legend. */
  readonly above?: number
  /** It is wider than a phone: its text is larger there, since the whole is shrunk. */
  readonly isBroad?: boolean
}

const margins = { left: 46, right: 14, bottom: 36 }

/** The axes of a chart over any range, in SVG units, which are pixels where there is room. */
export class ChartFrame {
  readonly left = margins.left
  readonly above: number
  readonly width: number
  readonly height: number
  /** The lower edge of the drawing area. */
  readonly base: number
  readonly #x: readonly [number, number]
  readonly #top: number
  readonly #isBroad: boolean

  constructor({ width, height, x, top, above = 26, isBroad = false }: ChartFrameOptions) {
    this.width = width
    this.height = height
    this.above = above
    this.base = above + height
    this.#x = x
    this.#top = top
    this.#isBroad = isBroad
  }

  x(value: number): number {
    const [from, to] = this.#x
    return this.left + ((value - from) / (to - from)) * this.width
  }

  /** What lies above the range is drawn at its edge. */
  y(value: number): number {
    return this.base - (Math.min(value, this.#top) / this.#top) * this.height
  }

  /** Lines across with their numbers beside. */
  gridAcross(values: readonly number[], text: (value: number) => string = String): string {
    return values
      .map(
        (value) =>
          `<path class="grid" d="M${this.left} ${short(this.y(value))}h${this.width}"/><text x="${this.left - 6}" y="${short(this.y(value) + 3.5)}" text-anchor="end">${text(value)}</text>`,
      )
      .join('')
  }

  tickBelow(value: number, text: string): string {
    return `<text x="${short(this.x(value))}" y="${this.base + 14}" text-anchor="middle">${text}</text>`
  }

  nameBelow(name: string): string {
    return `<text class="name" x="${this.left + this.width / 2}" y="${this.base + 30}" text-anchor="middle">${name}</text>`
  }

  nameBeside(name: string): string {
    const middle = this.above + this.height / 2
    return `<text class="name" x="9" y="${middle}" text-anchor="middle" transform="rotate(-90 9 ${middle})">${name}</text>`
  }

  /** The finished SVG element. `name` is what a screen reader says for it, no markup. */
  svg(name: string, parts: readonly string[]): string {
    const [width, height] = [this.left + this.width + margins.right, this.base + margins.bottom]
    return `<svg class="own${this.#isBroad ? ' broad' : ''}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}">${parts.join('')}</svg>`
  }
}

/** Round numbers from 0 up to the first that is not below `highest`, in four to eight steps. */
export function roundTicks(highest: number): number[] {
  const rough = Math.max(highest, 1e-6) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const count = Math.ceil(highest / step - 1e-9)
  return Array.from({ length: Math.max(1, count) + 1 }, (_, i) => Number((i * step).toPrecision(12)))
}
