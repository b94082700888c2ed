import { withoutPassword } from '../../../base/telemetry.ts'
import { place } from '../../../storage/place.ts'
import { numberTable } from '../../charts/numberTable.ts'
import { escapeHtml } from '../../escaping.ts'
import { hundredth, minute, whole } from '../../numberText.ts'
import type { Comparison, ComparisonSide } from '../comparison.ts'

/** How alike the small maps are; nothing where none could be compared. */
export function mapsSection({ maps }: Comparison): string {
  if (maps === null) return ''
  const { objectives, same, missing } = maps
  const entries = Object.entries(objectives)
  const left = [
    ...(same === 0
      ? []
      : [`${whole(same)} images have the very same maps, being one row of one result set, and are left out`]),
    ...(missing === 0 ? [] : [`${whole(missing)} have no small map that could be read`]),
  ]
  const note = left.length === 0 ? '' : `<p class="quiet">${left.join('; ')}.</p>`
  if (entries.length === 0) return note
  const rows = entries.map(([objective, { n, mean, p5 }]) => [
    `<code>${escapeHtml(objective)}</code>`,
    whole(n),
    hundredth(mean),
    hundredth(p5),
  ])
  const columns = [
    { name: 'objective', isText: true },
    { name: 'images' },
    { name: 'mean' },
    { name: '5th percentile' },
  ]
  return `<p>Pearson correlation between the magnitude maps (28 × 28) of A and of B of each image. It compares where they are strong, not how strong. Maps of two networks that look at the same edges correlate highly whatever the networks have learned.</p>
${numberTable(columns, rows, { name: 'Correlation of maps of A with those of B' })}${note}`
}

/** What made the two. */
export function factsSection({ a, b, differences }: Comparison): string {
  const rows = differences.map(
    ({ what, a: before, b: after }) =>
      `<tr><th scope="row">${escapeHtml(what)}</th><td><code>${escapeHtml(place(before))}</code></td><td><code>${escapeHtml(place(after))}</code></td></tr>`,
  )
  const table =
    rows.length === 0
      ? '<p>Both are of one result set: network, options and dataset are the same.</p>'
      : `<p>What is not named is the same in both.</p><div class="scroll"><table><thead><tr><th scope="col">differs</th><th scope="col">A</th><th scope="col">B</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
  return `${table}<dl class="facts">${sideFacts('A', a)}${sideFacts('B', b)}</dl>`
}

function sideFacts(name: string, { resultSet, run, closedAt, isState }: ComparisonSide): string {
  const when = closedAt === null ? '' : `, closed ${minute(closedAt)}`
  return `<dt>${name}</dt><dd><code>${escapeHtml(place(withoutPassword(resultSet)))}</code><br>run <code>${escapeHtml(run)}</code>${escapeHtml(when)}, ${isState ? 'the state now' : 'an earlier state'}</dd>`
}
