import { createHash } from 'node:crypto'
import { withPlaces } from '../../../storage/place.ts'
import { chartStyle } from '../../charts/chartStyle.ts'
import { colourStyle } from '../../colours.ts'
import { escapeHtml } from '../../escaping.ts'
import { hundredth, minute, trueSignedHundredth, whole } from '../../numberText.ts'
import { pageStyle } from '../../pageStyle.ts'
import type { ChangePictures } from '../changePictures.ts'
import type { Comparison, ComparisonSide } from '../comparison.ts'
import type { SideErrors } from '../sideErrors.ts'
import { compareStyle } from './compareStyle.ts'
import { changesSection } from './pageChanges.ts'
import { differenceSection } from './pageDifference.ts'
import { factsSection, mapsSection } from './pageFacts.ts'
import { failuresSection, imagesSection } from './pageImages.ts'
import { namesSection } from './pageNames.ts'
import { poseSection } from './pagePose.ts'

const style = `${pageStyle}${colourStyle}${chartStyle}${compareStyle}`

export interface ComparePageContent {
  readonly comparison: Comparison
  /** Of `comparison.largest`, in its order. */
  readonly pictures: readonly ChangePictures[]
  /** The objectives that the pictures show. */
  readonly objectives: { readonly a: readonly string[]; readonly b: readonly string[] }
  readonly headlightVersion: string
}

/**
 * The whole page as one HTML text, with style and pictures inside and no script at all. Its content security policy allows
 * only these, so that no text from a dataset could run or fetch anything even if the escaping failed.
 */
export function renderComparison({ comparison, pictures, objectives, headlightVersion }: ComparePageContent): string {
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ]
  const title = titleOf(comparison)
  const sections = [
    { id: 'difference', name: 'Difference', html: differenceSection(comparison) },
    { id: 'pose', name: 'Over pose', html: poseSection(comparison) },
    { id: 'subjects', name: 'Subjects and sequences', html: namesSection(comparison) },
    { id: 'images', name: 'Images', html: imagesSection(comparison) },
    { id: 'failed', name: 'Failed in one only', html: failuresSection(comparison) },
    { id: 'maps', name: 'Likeness of maps', html: mapsSection(comparison) },
    { id: 'changes', name: 'Largest changes', html: changesSection(comparison, pictures, objectives) },
    { id: 'made', name: 'What differs', html: factsSection(comparison) },
  ].filter((section) => section.html !== '')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>headlight: ${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="kicker">headlight compare</p>
<h1>${escapeHtml(title)}</h1>
<p class="under">${sideText('A', comparison.a)}<br>${sideText('B', comparison.b)}</p>
<nav class="sections" aria-label="Sections">${sections.map(({ id, name }) => `<a href="#${id}">${name}</a>`).join('')}</nav>
${figures(comparison)}
${notesPart(comparison)}
</header>
<main>
${sections.map(({ id, name, html }) => `<section id="${id}" aria-labelledby="${id}-name"><h2 id="${id}-name">${name}</h2>\n${html}\n</section>`).join('\n')}
</main>
<footer>Written by headlight ${escapeHtml(headlightVersion)}. This page asks nothing of the network.</footer>
</body>
</html>
`
}

/** Ahead of all figures: some of them say how far these can be believed. */
function notesPart({ notes }: Comparison): string {
  if (notes.length === 0) return ''
  return `<div class="note">${notes.map((note) => `<p>${escapeHtml(withPlaces(note))}</p>`).join('')}</div>`
}

/** What tells the two apart at a glance. */
function titleOf({ a, b }: Comparison): string {
  if (a.resultSet === b.resultSet) return `${a.network}: ${dayOf(a)} → ${dayOf(b)}`
  if (a.network !== b.network) return `${a.network} → ${b.network}`
  return a.scope === b.scope ? `${setName(a)} → ${setName(b)}` : `${a.network}: scope ${a.scope} → ${b.scope}`
}

const dayOf = ({ closedAt, run }: ComparisonSide): string => (closedAt === null ? run : minute(closedAt))
const setName = ({ resultSet }: ComparisonSide): string => resultSet.split('/').at(-2) ?? resultSet

function sideText(name: string, { network, scope, run, closedAt, isState, all }: ComparisonSide): string {
  const when = closedAt === null ? '' : ` of ${minute(closedAt)}`
  return `<strong>${name}, ${name === 'A' ? 'before' : 'after'}</strong>: ${escapeHtml(network)}, scope ${escapeHtml(scope)}; run ${escapeHtml(run)}${when}${isState ? ', the state now' : ''}; ${whole(all.n)} images`
}

function figures({ images, all, intervals, apart }: Comparison): string {
  const entries: [string, string][] = [['images compared', whole(images.compared)]]
  if (all.errors !== null) {
    const { a, b, delta } = all.errors.mean
    const interval = intervals.mean
    const range =
      interval && all.disagreement !== 0
        ? ` <small>${trueSignedHundredth(interval.low)} to ${trueSignedHundredth(interval.high)}</small>`
        : ''
    entries.push(
      ['mean error of A', `${hundredth(a)}°`],
      ['mean error of B', `${hundredth(b)}°`],
      ['B − A', `${trueSignedHundredth(delta)}°${range}`],
    )
  } else if (all.disagreement !== null) {
    entries.push(['estimates apart', `${hundredth(all.disagreement)}°`])
  }
  const counted: [string, number, SideErrors | null][] = [
    ['only in A', images.onlyA, apart.onlyA],
    ['only in B', images.onlyB, apart.onlyB],
    ['changed', images.changed, null],
    ['failed only in A', images.failedOnlyA, null],
    ['failed only in B', images.failedOnlyB, null],
  ]
  for (const [name, count, side] of counted) {
    const mae = side?.errors?.mae.mean
    const error = mae === undefined ? '' : ` <small>mean error ${hundredth(mae)}°</small>`
    if (count > 0) entries.push([name, `${whole(count)}${error}`])
  }
  return `<dl class="figures">${entries.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`
}
