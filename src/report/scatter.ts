import type { AngleName, Degrees } from '../pose/euler.ts'
import type { AngleDistribution } from './distribution.ts'
import { PlotFrame, short, signed } from './plotFrame.ts'

const height = 190
/** Steps of opacity in a density; more cannot be told apart. */
const levels = 8

/** Estimate over label of one angle, as points or, with very many samples, as a density. An inline SVG element. */
export function drawScatter(angle: AngleName, distribution: AngleDistribution): string {
  const limit = Math.min(180, Math.max(30, Math.ceil(distribution.largest / 15) * 15))
  const frame = new PlotFrame(limit, height)
  const grid = ticksWithin(limit).map(
    (tick) =>
      `<path class="grid" d="M${frame.left} ${short(frame.y(tick))}h${frame.width}M${short(frame.x(tick))} ${frame.top}v${frame.height}"/>` +
      frame.tickBelow(tick) +
      frame.tickBeside(frame.y(tick) + 3.5, signed(tick)),
  )
  const diagonal = `<path class="diagonal" d="M${frame.left} ${frame.base}l${frame.width} ${-frame.height}"/>`
  const points = distribution.points()
  return frame.svg(`Estimated over labelled ${angle}, ${distribution.labelled} images`, [
    ...grid,
    diagonal,
    points === null ? densityMarks(distribution, frame) : pointMarks(points, frame),
    frame.nameBelow(`label, ${angle}, °`),
    frame.nameBeside(`estimated ${angle}, °`),
  ])
}

/** Dots as zero-length strokes of one path: a few bytes each instead of an element. */
function pointMarks(points: readonly { label: Degrees; estimate: Degrees }[], frame: PlotFrame): string {
  const dots = points.map(({ label, estimate }) => `M${short(frame.x(label))} ${short(frame.y(estimate))}h0`)
  return `<path class="dots ${points.length > 500 ? 'small' : 'large'}" d="${dots.join('')}"/>`
}

/** Opacity is the logarithm of the count: a linear one would hide the few samples that went far astray. */
function densityMarks(distribution: AngleDistribution, frame: PlotFrame): string {
  const { cellSize, cells } = distribution.density()
  const highest = cells.reduce((most, cell) => Math.max(most, cell.count), 1)
  const across = short(frame.x(cellSize) - frame.x(0))
  const down = short(frame.y(0) - frame.y(cellSize))
  const paths = Array.from({ length: levels }, () => '')
  for (const cell of cells) {
    const share = highest === 1 ? 1 : Math.log(cell.count) / Math.log(highest)
    const level = Math.min(levels - 1, Math.floor(share * levels))
    const [x, y] = [frame.x(cell.label), frame.y(cell.estimate + cellSize)]
    paths[level] += `M${short(x)} ${short(y)}h${across}v${down}h-${across}z`
  }
  const drawn = paths.map((d, level) => (d === '' ? '' : `<path class="cells" opacity="${opacity(level)}" d="${d}"/>`))
  return drawn.join('')
}

function opacity(level: number): string {
  return ((level + 1.5) / (levels + 0.5)).toFixed(2)
}

function ticksWithin(limit: Degrees): Degrees[] {
  const coarse = limit <= 105 ? 30 : 60
  const step = limit <= 45 ? 15 : coarse
  const each = Math.floor(limit / step)
  return Array.from({ length: 2 * each + 1 }, (_, i) => (i - each) * step)
}
