import { leftOutText } from '../../dataset/leftOut.ts'
import { layout } from '../../output/layout.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { Summary } from '../../output/summary.ts'
import { errorFigures } from '../../report/errorFigures.ts'
import { guidanceText } from '../../saliency/guidance.ts'
import { place } from '../../storage/place.ts'
import type { Call } from '../command.ts'
import { errorTable } from '../messages/errorTable.ts'
import { number, rateText } from '../messages/quantities.ts'

/** Says how a run ended. Returns the exit code. */
export function conclude({ settings, surroundings, display, log }: Call, set: ResultSet, summary: Summary): number {
  display.end()
  if (settings.json) surroundings.results.write(`${JSON.stringify(summary)}\n`)
  else if (!settings.quiet) surroundings.results.write(summaryText(summary, set, settings.report))
  const missing = settings.strict ? missingText(summary) : undefined
  if (missing === undefined) return 0
  log.warn(`--strict: ${missing}`)
  return 3
}

/** What keeps a run from being whole; undefined when it is. */
function missingText({ counts: { failed }, leftOut = {} }: Summary): string | undefined {
  const parts: string[] = []
  if (failed > 0) parts.push(`${number(failed)} ${failed === 1 ? 'image' : 'images'} failed`)
  const files = Object.values(leftOut).reduce((sum, { count }) => sum + count, 0)
  if (files > 0) parts.push(files === 1 ? '1 file was left out' : `${number(files)} files were left out`)
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** What `run` says at its end: where things are, the counts, and the errors against the labels. */
function summaryText(summary: Summary, { id: set, options }: ResultSet, report: boolean): string {
  const { activations, counts } = summary
  const inOutput = (key: string): string => place(`${outputOf(summary.output, set)}${key}`)
  const rows: [string, string][] = [
    ['result set', place(summary.output)],
    ['report', report ? inOutput(layout.report(set)) : `not drawn (--no-report); headlight report draws it`],
    ['table', inOutput(layout.table(set))],
    ['images', `${number(counts.total)} (${countsText(counts)})`],
  ]
  if (counts.left !== undefined) {
    const isAllDone = counts.left === 0
    const left = counts.left === 1 ? '1 image of its listing is' : `${number(counts.left)} images of its listing are`
    const former = counts.total - counts.computed - counts.unchanged
    // With --full, or where images have changed.
    const kept = former === 0 ? '' : `, ${number(former)} of them with results from before, which stand`
    const next = former === 0 ? '' : '; with --full it computes everything'
    rows.unshift([
      'cancelled',
      isAllDone
        ? 'all images of its listing were computed'
        : `${left} not computed${kept}; the next headlight run takes up what is missing${next}`,
    ])
  }
  if (counts.failed > 0) {
    const codes = Object.entries(summary.failures).map(([code, n]) => `${code} ${number(n)}`)
    rows.push([
      'failed',
      `${number(counts.failed)}: ${codes.join(', ')}${ownFailuresText(summary)}; listed in ${inOutput(layout.failures(set, summary.run))}`,
    ])
  }
  const leftOut = leftOutText(summary.leftOut)
  if (leftOut !== undefined) rows.push(['left out', leftOut])
  if (summary.unusableLabels !== undefined) {
    rows.push(['labels', `${number(summary.unusableLabels)} cannot be used; the table's column message says why`])
  }
  if (activations !== undefined) rows.push(['activations', guidanceText(activations, options)])
  if (summary.imagesPerSecond !== null) {
    rows.push(['speed', `${rateText(summary.imagesPerSecond)} with ${summary.engine.join(', ')}`])
  }
  const text = rows.map(([name, value]) => `${name.padEnd(11)} ${value}\n`).join('')
  const figures = errorFigures(summary)
  const own = summary.thisRun && errorFigures(summary.thisRun)
  return figures === undefined ? text : `${text}\n${errorTable(figures, own)}`
}

/** How many of the state's failures this run has found; nothing where that is all of them, or it looked at no image. */
function ownFailuresText({ counts, thisRun }: Summary): string {
  if (thisRun === undefined) return ''
  const own = Object.values(thisRun.failures).reduce((sum, n) => sum + n, 0)
  return own === counts.failed ? '' : ` (${own === 0 ? 'none' : number(own)} of them in this run)`
}

function countsText(counts: Summary['counts']): string {
  const parts = [`${number(counts.total - counts.failed)} with a map`, `${number(counts.failed)} failed`]
  if (counts.computed === 0 && counts.left === undefined) parts.push('nothing had changed')
  else parts.push(`${number(counts.computed)} of them new or changed, ${number(counts.unchanged)} unchanged`)
  if (counts.gone > 0) parts.push(`${number(counts.gone)} gone since the last run`)
  return parts.join(', ')
}

/** The output store's URI, from that of a result set in it. */
function outputOf(resultSet: string, set: string): string {
  const end = `${set}/`
  return resultSet.endsWith(end) ? resultSet.slice(0, -end.length) : resultSet
}
