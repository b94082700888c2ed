import type { Degrees } from '../../pose/euler.ts'
import { diverging, divergingClass, sequential, sequentialClass } from '../colours.ts'
import { signed } from '../plotFrame.ts'

/** What colour a number has, and a legend of it, HTML. */
export interface ColourScale {
  className(value: Degrees): string
  readonly legend: string
}

const errorSteps: readonly Degrees[] = [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 15]
const biasSteps: readonly Degrees[] = [0.1, 0.2, 0.5, 1, 2, 3, 4, 6, 10, 20, 40]

/** Of errors from 0 up, in steps so wide that nearly all of the values differ from the last one. */
export function errorScale(values: readonly Degrees[]): ColourScale {
  const count = sequential.length
  const step = widthFor(errorSteps, values, count - 0.5)
  const entries = sequential.map((_, at) => {
    const [from, to] = [round(at * step), round((at + 1) * step)]
    return [sequentialClass(at), at === count - 1 ? `${from} and more` : `${from} to ${to}`] as const
  })
  return { className: (value) => sequentialClass(Math.floor(value / step)), legend: legendOf(entries) }
}

/** Of signed errors around 0, which is in the middle of a step: what is nearly nothing has no sign to be seen. */
export function biasScale(values: readonly Degrees[]): ColourScale {
  const side = (diverging.length - 1) / 2
  const sizes = values.map((value) => Math.abs(value))
  const step = widthFor(biasSteps, sizes, side + 0.5)
  const bound = (at: number) => withSign(round((at - side - 0.5) * step))
  const entries = diverging.map((_, at) => {
    const text =
      at === 0
        ? `${bound(1)} and less`
        : at === diverging.length - 1
          ? `${bound(at)} and more`
          : `${bound(at)} to ${bound(at + 1)}`
    return [divergingClass(at), text] as const
  })
  return { className: (value) => divergingClass(side + Math.round(value / step)), legend: legendOf(entries) }
}

/** The narrowest of the widths that holds all but a twentieth of the values in so many steps: one bad cell is not to pale the others. */
function widthFor(widths: readonly Degrees[], values: readonly Degrees[], steps: number): Degrees {
  const sorted = values.toSorted((a, b) => a - b)
  const high = sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0
  return widths.find((width) => width * steps >= high) ?? widths.at(-1) ?? 1
}

function legendOf(entries: readonly (readonly [string, string])[]): string {
  return entries.map(([name, text]) => `<i class="${name}">${text}</i>`).join('')
}

function withSign(degrees: Degrees): string {
  return degrees > 0 ? `+${degrees}` : signed(degrees)
}

/** Steps of a tenth are not exact in binary. */
function round(degrees: Degrees): Degrees {
  return Math.round(degrees * 1000) / 1000
}
