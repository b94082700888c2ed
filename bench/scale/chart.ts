import type { Kind, Point } from './scenarios.ts'

const [width, height, left, right, top, bottom] = [760, 420, 80, 20, 30, 60]
const colours = ['#2f7ed8', '#e07b39', '#3a9a5b', '#a45bc4']

/** Images a second over nodes, both logarithmic. Readable on light and dark pages: it brings its own paper. */
export function scalingChart(curves: readonly { kind: Kind; label: string; points: readonly Point[] }[]): string {
  const all = curves.flatMap(({ points }) => points)
  const [maxX, minY, maxY] = [
    Math.max(...all.map(({ nodes }) => nodes)),
    Math.min(...all.map(({ imagesPerS }) => imagesPerS)),
    Math.max(...all.map(({ imagesPerS }) => imagesPerS)),
  ]
  const decades = (from: number, to: number): number[] =>
    Array.from(
      { length: Math.ceil(Math.log10(to)) - Math.floor(Math.log10(from)) + 1 },
      (_, i) => 10 ** (Math.floor(Math.log10(from)) + i),
    )
  const [low, high] = [decades(minY, maxY)[0] ?? 1, decades(minY, maxY).at(-1) ?? 10]
  const x = (nodes: number) => left + (Math.log10(nodes) / Math.log10(maxX)) * (width - left - right)
  const y = (rate: number) =>
    height - bottom - (Math.log10(rate / low) / Math.log10(high / low)) * (height - top - bottom)
  const grid = [
    ...decades(1, maxX).map(
      (at) =>
        `<line class="g" x1="${x(at).toFixed(1)}" y1="${top}" x2="${x(at).toFixed(1)}" y2="${height - bottom}"/>` +
        `<text x="${x(at).toFixed(1)}" y="${height - bottom + 18}" text-anchor="middle">${at.toLocaleString('en')}</text>`,
    ),
    ...decades(minY, maxY).map(
      (at) =>
        `<line class="g" x1="${left}" y1="${y(at).toFixed(1)}" x2="${width - right}" y2="${y(at).toFixed(1)}"/>` +
        `<text x="${left - 8}" y="${(y(at) + 4).toFixed(1)}" text-anchor="end">${at.toLocaleString('en')}</text>`,
    ),
  ]
  const lines = curves.map(({ label, points }, i) => {
    const colour = colours[i % colours.length] ?? ''
    const path = points.map(({ nodes, imagesPerS }) => `${x(nodes).toFixed(1)},${y(imagesPerS).toFixed(1)}`).join(' ')
    const dash = i % 2 === 0 ? '' : ' stroke-dasharray="6 4"'
    const legendY = top + 16 + 18 * i
    return (
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2.5"${dash}/>` +
      `<line x1="${left + 14}" y1="${legendY - 4}" x2="${left + 44}" y2="${legendY - 4}" stroke="${colour}" stroke-width="2.5"${dash}/>` +
      `<text x="${left + 52}" y="${legendY}">${label}</text>`
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Simulated images a second over the number of nodes">
<style>text{font:13px system-ui,sans-serif;fill:#222}.g{stroke:#ddd}.p{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}.p{fill:#1b1f24}}</style>
<rect class="p" width="${width}" height="${height}" rx="6"/>
${grid.join('\n')}
${lines.join('\n')}
<text x="${(left + width - right) / 2}" y="${height - 16}" text-anchor="middle">nodes</text>
<text transform="translate(18 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">images a second</text>
</svg>
`
}
