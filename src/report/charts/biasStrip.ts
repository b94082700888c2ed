import type { Names } from '../../output/aggregates.ts'
import type { AngleName } from '../../pose/euler.ts'
import { escapeHtml } from '../escaping.ts'
import { fewImages } from '../fewImages.ts'
import { signedTenth } from '../numberText.ts'
import { short, signed } from '../plotFrame.ts'
import { ChartFrame, roundTicks } from './chartFrame.ts'
import { biasOf, measured } from './groupErrors.ts'
import type { StandingOut } from './standsOut.ts'

const rowHeight = 44
const told = 3
const nameLength = 24
/** So far apart two names do not meet. */
const nameWidth = 190

/** Every group's bias as a stroke, a row for each angle; those that stand out as diamonds, the farthest with their names. */
export function drawBiasStrip(
  groups: Names['named'],
  angles: readonly AngleName[],
  outstanding: readonly StandingOut[],
  what: string,
): string {
  const enough = groups.filter((group) => measured(group) >= fewImages)
  const all = enough.flatMap((group) => angles.map((angle) => Math.abs(biasOf(group, angle) ?? 0)))
  const ticks = roundTicks(Math.max(1, ...all))
  const end = ticks.at(-1) ?? 1
  const frame = new ChartFrame({
    width: 600,
    height: rowHeight * angles.length,
    x: [-end, end],
    top: 1,
    above: 6,
    isBroad: true,
  })
  const rows = angles.map((angle, row) => {
    const middle = frame.above + (row + 0.62) * rowHeight
    const isOut = (name: string) => outstanding.some((found) => found.angle === angle && found.name === name)
    // Each from the end of the one before: there may be hundreds, and the page is to stay small.
    let at = 0
    const strokes = enough
      .filter(({ name }) => !isOut(name))
      .map((group) => Math.round(10 * frame.x(biasOf(group, angle) ?? 0)))
      .sort((one, other) => one - other)
      .map((tenths) => {
        const by = short((tenths - at) / 10)
        at = tenths
        return `m${by}-12v12`
      })
    const taken: number[] = []
    const diamonds = outstanding
      .filter((found) => found.angle === angle)
      .toSorted((one, other) => Math.abs(other.bias - other.median) - Math.abs(one.bias - one.median))
      .map(({ name, bias }) => {
        const x = frame.x(bias)
        const diamond = `<path class="out" d="M${short(x)} ${short(middle - 6)}l6 6l-6 6l-6-6z"/>`
        // A name over another could not be read; the table has them all.
        if (taken.some((other) => Math.abs(other - x) < nameWidth)) return diamond
        taken.push(x)
        const anchor = bias > 0 ? 'end' : 'start'
        return `${diamond}<text class="out" x="${short(x + (bias > 0 ? 6 : -6))}" y="${short(middle - 10)}" text-anchor="${anchor}">${escapeHtml(shortened(name))} ${signedTenth(bias)}°</text>`
      })
    return `<path class="grid" d="M${frame.left} ${short(middle)}h${frame.width}"/><text x="${frame.left - 6}" y="${short(middle + 3.5)}" text-anchor="end">${angle}</text><path class="rug" d="M0 ${short(middle + 6)}${strokes.join('')}"/>${diamonds.join('')}`
  })
  const axis = [
    ...ticks
      .slice(1)
      .map((tick) => -tick)
      .reverse(),
    ...ticks,
  ]
  const found = outstanding.map(({ name, angle, bias }) => `${shortened(name)} ${signedTenth(bias)}° in ${angle}`)
  const finding = found.length === 0 ? 'none stands out' : `standing out: ${found.slice(0, told).join(', ')}`
  return frame.svg(escapeHtml(`Bias of each of ${enough.length} ${what}, by angle; ${finding}`), [
    `<path class="diagonal" d="M${short(frame.x(0))} ${frame.above}v${frame.height}"/>`,
    ...rows,
    ...axis.map((tick) => frame.tickBelow(tick, signed(tick))),
    frame.nameBelow(`bias of each of the ${what}, °`),
  ])
}

function shortened(name: string): string {
  return name.length > nameLength ? `…${name.slice(1 - nameLength)}` : name
}
