import { withoutPassword } from '../base/telemetry.ts'
import { layout } from '../output/layout.ts'
import { putReportPictures } from '../output/reportPictures.ts'
import type { ResultSet } from '../output/resultSet.ts'
import type { Summary } from '../output/summary.ts'
import { place } from '../storage/place.ts'
import type { Store } from '../storage/store.ts'
import { escapeHtml } from './escaping.ts'
import { htmlPage } from './htmlPage.ts'
import { minute } from './numberText.ts'
import { pageStyle } from './pageStyle.ts'

/**
 * Where there is a report of an earlier state, a page that says so takes its place: it must not pass for that of now. The
 * pictures kept for the next one go as well, since the images may be gone. Both are written over, which needs no right to
 * remove a report.
 */
export async function withdrawReport(output: Store, set: ResultSet, summary: Summary): Promise<void> {
  const key = layout.report(set.id)
  const [page, pictures] = await Promise.all([output.head(key), output.head(layout.reportPictures(set.id))])
  if (pictures !== undefined) await putReportPictures(output, set.id, new Map())
  if (page !== undefined)
    await output.put(key, withdrawnPage(set, summary), { contentType: 'text/html; charset=utf-8' })
}

function withdrawnPage({ network, dataset }: ResultSet, summary: Summary): string {
  const on = place(withoutPassword(dataset.uri))
  return htmlPage({
    command: 'report',
    title: `${network.file} on ${on}`,
    under: `run ${escapeHtml(summary.run)}, ${escapeHtml(summary.state)} ${escapeHtml(minute(summary.closedAt))}`,
    first:
      '<div class="note"><p>There is no report of these results: their run was made with <code>--no-report</code>. ' +
      '<code>headlight report</code> draws it, and so does the next run without that option.</p></div>',
    sections: [],
    headlightVersion: summary.headlightVersion,
    style: pageStyle,
  })
}
