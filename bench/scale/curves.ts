import { writeFileSync } from 'node:fs'
import { table } from '../measure.ts'
import { scalingChart } from './chart.ts'
import { imagesFor, kinds, nodeCounts, point, type Point, type Turned } from './scenarios.ts'

/** As it comes, and with what docs/scaling.md says to turn. */
const asItComes: Turned = { listings: 1, storePrefixes: 1, shardSize: 256 }
const turned: Turned = { listings: 16, storePrefixes: 64, shardSize: 1_024 }

/** Simulates both kinds of node up to a thousand of them, writes docs/scaling.svg, and returns the tables. */
export function scaleCurves(): string {
  const curves = kinds.flatMap((kind) =>
    [
      { label: kind.name, turn: asItComes },
      { label: `${kind.name}, turned`, turn: turned },
    ].map(({ label, turn }) => ({
      kind,
      label,
      points: nodeCounts.map((nodes) => point(kind, nodes, imagesFor(nodes, kind), turn)),
    })),
  )
  writeFileSync(new URL('../../docs/scaling.svg', import.meta.url), scalingChart(curves))
  const billion = kinds.map((kind) => ({
    label: `${kind.name}, 10⁹ images, turned`,
    points: [point(kind, 1_000, 1e9, turned)],
  }))
  return [...curves, ...billion].map(({ label, points }) => `${label}\n${pointsTable(points)}`).join('\n\n')
}

function pointsTable(points: readonly Point[]): string {
  const percent = (share: number): string => `${(share * 100).toFixed(0)} %`
  const rows = points.map((at) => [
    String(at.nodes),
    at.images.toExponential(1),
    at.imagesPerS.toFixed(0),
    (at.seconds / 3600).toFixed(2),
    at.dollarsPerMillion.toFixed(2),
    percent(at.busy.units),
    `${at.next} ${percent(at.busy[at.next])}`,
  ])
  return table([['nodes', 'images', 'images/s', 'hours', '$/million', 'units busy', 'busiest beside'], ...rows])
}
