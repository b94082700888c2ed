import type { Degrees } from '../../../pose/euler.ts'
import { signedTenth, trueSignedHundredth } from '../../numberText.ts'
import { short } from '../../plotFrame.ts'
import type { Comparison } from '../comparison.ts'
import { metrics } from '../groupSums.ts'

const rowHeight = 30
const margins = { left: 74, right: 64, top: 20, bottom: 34 }
const plotWidth = 330

/** Differences of the mean errors with their intervals, a row for each metric, about a line at 0. An inline SVG element. */
export function drawIntervals({ all, intervals }: Comparison): string {
  const rows = metrics.flatMap((metric) => {
    const found = all.errors?.[metric]
    return found === undefined ? [] : [{ metric, delta: found.delta, interval: intervals[metric] ?? null }]
  })
  const reach = Math.max(
    ...rows.map(({ delta, interval }) =>
      Math.max(Math.abs(delta), Math.abs(interval?.low ?? 0), Math.abs(interval?.high ?? 0)),
    ),
  )
  const limit = limits.find((candidate) => candidate >= reach) ?? 180
  const x = (degrees: Degrees) => margins.left + ((degrees + limit) / (2 * limit)) * plotWidth
  const base = margins.top + rows.length * rowHeight
  const ticks = [-limit, -limit / 2, 0, limit / 2, limit]
  const grid = ticks.map(
    (tick) =>
      `<path class="${tick === 0 ? 'zero' : 'grid'}" d="M${short(x(tick))} ${margins.top - 4}V${base}"/><text x="${short(x(tick))}" y="${base + 14}" text-anchor="middle">${signedTick(tick)}</text>`,
  )
  const marks = rows.map(({ metric, delta, interval }, i) => {
    const y = margins.top + (i + 0.5) * rowHeight
    const whisker =
      interval === null
        ? ''
        : `<path class="whisker" d="M${short(x(interval.low))} ${y}H${short(x(interval.high))}M${short(x(interval.low))} ${y - 5}v10M${short(x(interval.high))} ${y - 5}v10"/>`
    const colour = delta === 0 ? 'even' : delta > 0 ? 'worse' : 'better'
    return `<text x="${margins.left - 10}" y="${y + 4}" text-anchor="end">${metric}</text><g class="${colour}">${whisker}<circle cx="${short(x(delta))}" cy="${y}" r="4.5"/></g><text class="value" x="${margins.left + plotWidth + 10}" y="${y + 4}">${trueSignedHundredth(delta)}°</text>`
  })
  const told = rows.map(({ metric, delta }) => `${metric} ${signedTenth(delta)}°`).join(', ')
  const [width, height] = [margins.left + plotWidth + margins.right, base + margins.bottom]
  const names = `<text class="name" x="${short(x(-limit / 2))}" y="${base + 30}" text-anchor="middle">← B better</text><text class="name" x="${short(x(limit / 2))}" y="${base + 30}" text-anchor="middle">B worse →</text>`
  return `<svg class="own" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Difference of the mean errors, B − A, with 95 % intervals: ${told}">${grid.join('')}${marks.join('')}${names}</svg>`
}

const limits: readonly Degrees[] = [0.1, 0.2, 0.5, 1, 2, 4, 6, 10, 20, 40, 60, 100]

function signedTick(degrees: Degrees): string {
  return degrees === 0 ? '0' : `${degrees > 0 ? '+' : '−'}${Math.abs(degrees)}`
}
