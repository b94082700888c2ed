import type { Degrees } from '../../pose/euler.ts'
import { escapeHtml } from '../escaping.ts'
import { fewImages } from '../fewImages.ts'
import { hundredth, minute, tenth, whole } from '../numberText.ts'
import type { PageContent } from '../pageContent.ts'
import { drawnRuns, type DrawnRun } from './drawnRuns.ts'
import { foldedTable, type NumberCell, type NumberColumn } from './numberTable.ts'
import { drawRuns } from './runsChart.ts'
import { scrolledChart } from './scrolledChart.ts'
import { worseFactor } from './standsOut.ts'

/** The course of the last runs; nothing of a first one. */
export function runsSection({ runs }: Pick<PageContent, 'runs'>): string {
  if (runs.length < 2) return ''
  const drawn = drawnRuns(runs)
  const lacking = drawn.filter(({ ownFailed }) => ownFailed === null).length
  const note =
    lacking === 0
      ? ''
      : ` ${lacking === drawn.length ? 'These runs are' : `${whole(lacking)} of them ${lacking === 1 ? 'is' : 'are'}`} of an earlier version, which did not write the errors of a run’s own images, and so they have no mark.`
  return `<p>The last ${whole(drawn.length)} runs, oldest first. A <em>run’s own error</em> is over the images that it computed itself, the <em>state’s error</em> over all images that there are after it. A bad run hardly moves the second, but shows clearly in the first. ◆ marks a run whose own error is more than ${worseFactor} times the median of the runs before it. Only runs with ${fewImages} or more labelled images count.${note}</p>
<p><strong>${findingText(drawn)}</strong></p>
<figure class="panel">${scrolledChart(drawRuns(drawn), 'Chart of the last runs')}</figure>
${runsTable(drawn)}`
}

function findingText(runs: readonly DrawnRun[]): string {
  const worse = runs.filter(({ isWorse }) => isWorse)
  if (worse.length === 0) {
    return runs.some(({ ownError }) => ownError !== null) ? 'No run stands out by its own error.' : ''
  }
  const told = worse.slice(-3).map(({ run, ownError, ownErrors }) => {
    return `<span class="key">${escapeHtml(run)}</span> with ${tenth(ownError ?? 0)}° over its own ${whole(ownErrors?.n ?? 0)} labelled images`
  })
  const more = worse.length - told.length
  return `Standing out: ${told.join('; ')}${more === 0 ? '' : `; and ${whole(more)} before`}.`
}

function runsTable(runs: readonly DrawnRun[]): string {
  const columns: NumberColumn[] = [
    { name: 'run', isText: true },
    { name: 'closed', isText: true },
    { name: 'state', isText: true },
    { name: 'computed' },
    { name: 'failed of these' },
    { name: 'images' },
    { name: 'failed' },
    { name: 'images/s' },
    { name: 'own error, °' },
    { name: 'state’s error, °' },
  ]
  const degrees = (value: Degrees | null) => (value === null ? '–' : hundredth(value))
  const rows = runs
    .toReversed()
    .map((run): NumberCell[] => [
      { html: escapeHtml(run.run), className: 'key' },
      escapeHtml(minute(run.closedAt)),
      escapeHtml(run.state),
      whole(run.counts.computed),
      run.ownFailed === null ? '–' : whole(run.ownFailed),
      whole(run.counts.total),
      whole(run.counts.failed),
      run.imagesPerSecond === null ? '–' : tenth(run.imagesPerSecond),
      run.isWorse ? { html: `◆ ${degrees(run.ownError)}`, className: 'out' } : degrees(run.ownError),
      degrees(run.stateError),
    ])
  return foldedTable(columns, rows, 'The last runs as a table, newest first')
}
