import type { AngleName } from '../pose/euler.ts'
import type { AngleDistribution, AngleHistogram } from './distribution.ts'
import { PlotFrame, short } from './plotFrame.ts'

const height = 100

/** Signed errors of one angle (estimate − label). An inline SVG element. */
export function drawErrorHistogram(angle: AngleName, distribution: AngleDistribution): string {
  return drawHistogram(distribution.errorHistogram(), `error in ${angle} (estimate − label), °`)
}

/** Estimates of one angle where the dataset has no labels. An inline SVG element. */
export function drawEstimateHistogram(angle: AngleName, distribution: AngleDistribution): string {
  return drawHistogram(distribution.estimateHistogram(), `estimated ${angle}, °`)
}

function drawHistogram({ limit, counts, outside }: AngleHistogram, axis: string): string {
  const frame = new PlotFrame(limit, height)
  const highest = Math.max(1, ...counts)
  const width = frame.width / counts.length
  const bars = counts.map((samples, bin) => {
    if (samples === 0) return ''
    const tall = (samples / highest) * (frame.height - 6)
    const x = short(frame.left + bin * width + 0.4)
    return `<rect class="bar" x="${x}" y="${short(frame.base - tall)}" width="${short(width - 0.8)}" height="${short(tall)}"/>`
  })
  const zero = `<path class="diagonal" d="M${short(frame.x(0))} ${frame.top}v${frame.height}"/>`
  const axisLine = `<path class="axis" d="M${frame.left} ${frame.base}h${frame.width}"/>`
  const name = outside === 0 ? axis : `${axis}; ${outside.toLocaleString('en-US')} beyond ±${limit}°`
  return frame.svg(`Histogram of ${name}`, [
    ...bars,
    zero,
    axisLine,
    ...[-limit, -limit / 2, 0, limit / 2, limit].map((tick) => frame.tickBelow(tick)),
    frame.tickBeside(frame.top + 10, highest.toLocaleString('en-US')),
    frame.tickBeside(frame.base, '0'),
    frame.nameBelow(name),
  ])
}
