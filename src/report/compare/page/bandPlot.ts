import { ChartFrame, roundTicks } from '../../charts/chartFrame.ts'
import { tenth } from '../../numberText.ts'
import { short } from '../../plotFrame.ts'
import type { Comparison } from '../comparison.ts'

/** Mean error of A and of B by |yaw|, side by side with a line from one to the other. An inline SVG element. */
export function drawBands(bands: Comparison['bands']): string {
  const points = bands.flatMap(({ from, to, errors }) =>
    errors === null ? [] : [{ middle: (from + to) / 2, from, ...errors.mean }],
  )
  const worst = points.reduce((most, point) => (point.delta > most.delta ? point : most))
  const end = Math.max(...bands.map(({ to }) => to))
  const ticks = roundTicks(Math.max(...points.map(({ a, b }) => Math.max(a, b))))
  const frame = new ChartFrame({ width: 340, height: 170, x: [0, end], top: ticks.at(-1) ?? 1 })
  const reach = Math.min(5, frame.width / bands.length / 5)
  const [place, at] = [(middle: number) => frame.x(middle), (error: number) => frame.y(error)]
  const joined = points.map(
    ({ middle, a, b }) =>
      `M${short(place(middle) - reach)} ${short(at(a))}L${short(place(middle) + reach)} ${short(at(b))}`,
  )
  const marks = points.map(
    ({ middle, a, b }) =>
      `<circle class="side-a" cx="${short(place(middle) - reach)}" cy="${short(at(a))}" r="4"/><circle class="side-b" cx="${short(place(middle) + reach)}" cy="${short(at(b))}" r="4"/>`,
  )
  const edges = [...new Set(bands.flatMap(({ from, to }) => [from, to]))]
  const legend = `<circle class="side-a" cx="${frame.left + 6}" cy="10" r="4"/><text x="${frame.left + 15}" y="14">A</text><circle class="side-b" cx="${frame.left + 40}" cy="10" r="4"/><text x="${frame.left + 49}" y="14">B</text>`
  return frame.svg(
    `Mean error of A and of B by the size of yaw; largest rise ${tenth(worst.delta)}° from ${worst.from}° on`,
    [
      frame.gridAcross(ticks),
      `<path class="moved" d="${joined.join('')}"/>`,
      ...marks,
      ...edges.map((edge) => frame.tickBelow(edge, String(edge))),
      legend,
      frame.nameBelow('|yaw|, °'),
      frame.nameBeside('mean error, °'),
    ],
  )
}
