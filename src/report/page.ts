import { withoutPassword } from '../base/telemetry.ts'
import { layout as outputLayout } from '../output/layout.ts'
import type { Summary } from '../output/summary.ts'
import { place } from '../storage/place.ts'
import { atlasScript } from './atlas/atlasScript.ts'
import { atlasData, atlasName, atlasSection } from './atlas/atlasSection.ts'
import { atlasStyle } from './atlas/atlasStyle.ts'
import { chartStyle } from './charts/chartStyle.ts'
import { confidenceSection } from './charts/confidence.ts'
import { findings } from './charts/findings.ts'
import { poseErrorsSection } from './charts/poseErrors.ts'
import { runsSection } from './charts/runs.ts'
import { sortScript } from './charts/sortScript.ts'
import { subjectsSection } from './charts/subjects.ts'
import { colourStyle } from './colours.ts'
import { errorFigures } from './errorFigures.ts'
import { escapeHtml, jsonForScript } from './escaping.ts'
import { htmlPage } from './htmlPage.ts'
import { minute, tenth, whole } from './numberText.ts'
import { anglesSection } from './pageAngles.ts'
import { correlationSection, limitsSection } from './pageCautions.ts'
import type { PageContent } from './pageContent.ts'
import { factsSection, failuresSection } from './pageFacts.ts'
import { gallerySection } from './pageGallery.ts'
import { pageScript } from './pageScript.ts'
import { pageStyle } from './pageStyle.ts'

const style = `${pageStyle}${colourStyle}${chartStyle}${atlasStyle}`
const script = `${pageScript}${sortScript}${atlasScript}`

/** The report as one HTML text. */
export function renderPage(content: PageContent): string {
  const { set, summary } = content
  return htmlPage({
    command: 'report',
    title: `${set.network.file} on ${place(withoutPassword(set.dataset.uri))}`,
    under: `run ${escapeHtml(summary.run)}, ${escapeHtml(summary.state)} ${escapeHtml(minute(summary.closedAt))}${leftText(summary.counts.left)}`,
    first: `${figures(summary)}\n${findings(content)}`,
    sections: [
      { id: 'errors', name: 'Angles', html: anglesSection(content) },
      { id: 'pose-errors', name: 'Error over pose', html: poseErrorsSection(content) },
      { id: 'atlas', name: atlasName(content), html: atlasSection(content) },
      { id: 'subjects', name: 'Subjects and sequences', html: subjectsSection(content) },
      { id: 'confidence', name: 'Confidence', html: confidenceSection(content) },
      { id: 'runs', name: 'Runs', html: runsSection(content) },
      { id: 'gallery', name: 'Gallery', html: gallerySection(content) },
      { id: 'correlation', name: 'Likeness of maps', html: correlationSection(content) },
      { id: 'failed', name: 'Failed images', html: failuresSection(content) },
      { id: 'limits', name: 'What the maps can tell', html: limitsSection(set) },
      { id: 'made', name: 'How this was made', html: factsSection(set, summary) },
    ],
    headlightVersion: summary.headlightVersion,
    style,
    script,
    last: `${sampleDialog}\n<script type="application/json" id="samples">${jsonForScript(scriptData(content))}</script>`,
  })
}

function leftText(left: number | undefined): string {
  return left === undefined ? '' : `: <strong>${left} listed images were not computed</strong>`
}

function figures(summary: Summary): string {
  const { total, computed, unchanged, failed, gone } = summary.counts
  const entries: [string, string][] = [
    ['images', whole(total)],
    ['computed in this run', whole(computed)],
    ['unchanged', whole(unchanged)],
    ['failed', whole(failed)],
  ]
  if (gone > 0) entries.push(['gone from the dataset', whole(gone)])
  const leftOut = Object.values(summary.leftOut ?? {}).reduce((sum, { count }) => sum + count, 0)
  if (leftOut > 0) entries.push(['left out', whole(leftOut)])
  entries.push(...errorEntries(summary))
  if (summary.imagesPerSecond !== null) entries.push(['images per second', tenth(summary.imagesPerSecond)])
  return `<dl class="figures">${entries.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`
}

/** The errors of all images and, where they are not the same images, those that this run has computed itself. */
function errorEntries(summary: Summary): [string, string][] {
  const all = errorFigures(summary)
  if (all === undefined) return []
  const { thisRun } = summary
  const own = thisRun === undefined || thisRun.n === summary.counts.total ? undefined : errorFigures(thisRun)
  const columns = all.columns.includes('mean') ? (['mean'] as const) : all.columns
  return columns.map((column) => {
    const name = column === 'mean' ? 'mean absolute error' : `mean absolute error, ${column}`
    const ownText = own?.mae[column] === undefined ? '' : ` <small>this run’s own ${tenth(own.mae[column])}°</small>`
    return [name, `${tenth(all.mae[column] ?? 0)}°${ownText}`]
  })
}

const sampleDialog = `<dialog id="sample" aria-labelledby="large-key">
<div class="bar"><p class="key" id="large-key"></p><div><button type="button" id="sample-previous" aria-label="Previous image">←</button><button type="button" id="sample-next" aria-label="Next image">→</button><button type="button" id="sample-close">Close</button></div></div>
<div id="large"></div>
</dialog>`

function scriptData(content: PageContent): unknown {
  const { samples, layout, objectives } = content
  const alt =
    objectives.length === 1
      ? 'image, map and overlay'
      : `image, and per objective (${objectives.join(', ')}) map and overlay`
  const maps = objectives.map((objective) => ({ objective, folder: outputLayout.mapFolder(objective) }))
  return { samples, maps, width: layout.width, height: layout.height, alt, atlas: atlasData(content) }
}
