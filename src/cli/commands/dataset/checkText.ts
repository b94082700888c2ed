import { describeAdapter } from '../../../dataset/adapters.ts'
import { leftOutText } from '../../../dataset/leftOut.ts'
import { angleNames, type AngleName } from '../../../pose/euler.ts'
import type { Ranking } from '../../../pose/readings.ts'
import { place } from '../../../storage/place.ts'
import { number } from '../../messages/quantities.ts'
import type { DatasetCheck } from './checkResult.ts'

/** How many of the 48 readings are shown beside the given one. */
const readingsShown = 5

/** What `dataset check` says to people. */
export function checkText(check: DatasetCheck): string {
  const { labels, boxes, sheet } = check
  const rows: [string, string][] = [
    ['dataset', `${place(check.dataset)}, read as ${describeAdapter(check.adapter)}`],
    ['samples', number(check.samples)],
    [
      'read',
      check.lookedAt === 0
        ? 'none: the listing alone shows that all are wrong'
        : `${number(check.read)} of ${number(check.lookedAt)} looked at${check.lookedAt < check.samples ? ', evenly spaced' : ''}`,
    ],
  ]
  const degrees = (value: number) => value.toFixed(1).replace('-', '−')
  // Where nothing could be read, nothing is known of either.
  if (check.read > 0) {
    rows.push([
      'labels',
      labels === null
        ? 'none'
        : `${number(labels.n)}: ${angleNames.map((name) => `${name} ${degrees(labels[name].min)} to ${degrees(labels[name].max)}`).join(', ')} degrees`,
    ])
    rows.push([
      'boxes',
      boxes === null
        ? 'none: the whole images are seen'
        : `${number(boxes.n)}: longer side ${Math.round(boxes.side.min)} to ${Math.round(boxes.side.max)} pixels`,
    ])
  }
  for (const [where, findings] of [
    ['of all', check.listingFindings],
    ['of those looked at', check.findings],
  ] as const) {
    for (const { code, count, example } of findings) {
      rows.push(['wrong', `${number(count)} ${where}: ${code}, for example ${example.key}: ${example.message}`])
    }
  }
  for (const [where, unusable] of [
    ['', check.listingUnusableLabels],
    [' of those looked at', check.unusableLabels],
  ] as const) {
    if (unusable === undefined) continue
    const { count, example } = unusable
    const labels = `${number(count)} ${count === 1 ? 'label' : 'labels'}${where}`
    rows.push(['unusable', `${labels} cannot be used and cost no map, for example ${example.key}: ${example.message}`])
  }
  const leftOut = leftOutText(check.leftOut)
  if (leftOut !== undefined) rows.push(['left out', leftOut])
  if (sheet !== null) rows.push(['sheet', `${sheet}; which sample is where, says --json`])
  for (const warning of check.warnings) rows.push(['warning', warning])
  const text = rows.map(([name, value]) => `${name.padEnd(9)} ${value}\n`).join('')
  return check.network?.ranking ? `${text}\n${rankingTable(check.network.ranking)}` : text
}

function rankingTable({ n, readings, given }: Ranking): string {
  const columns = [...angleNames, 'mean'] as const
  const line = (reading: string, cells: readonly string[]) =>
    `${reading.padEnd(40)}${cells.map((cell) => cell.padStart(8)).join('')}\n`
  const row = (reading: Ranking['given']) =>
    line(
      `${readingText(reading.order, reading.signs)}${reading === given ? ' *' : ''}`,
      columns.map((column) => reading.mae[column].toFixed(2)),
    )
  const best = readings.slice(0, readingsShown)
  const shown = best.includes(given) ? best : [...best, given]
  return `${line(`mean absolute error over ${number(n)}, degrees`, columns)}${shown.map(row).join('')}* as given\n`
}

/** `yaw = −pitch, …`: what the three numbers of a label would have to mean. */
export function readingText(order: readonly AngleName[], signs: readonly number[]): string {
  return angleNames.map((name, index) => `${name} = ${signs[index] === -1 ? '−' : ''}${order[index]}`).join(', ')
}
