import { withPlaces } from '../../../storage/place.ts'
import { chartStyle } from '../../charts/chartStyle.ts'
import { colourStyle } from '../../colours.ts'
import { escapeHtml } from '../../escaping.ts'
import { htmlPage, type PageSection } from '../../htmlPage.ts'
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

/** The comparison as one HTML text, without any script. */
export function renderComparison({ comparison, pictures, objectives, headlightVersion }: ComparePageContent): string {
  return htmlPage({
    command: 'compare',
    title: comparisonTitle(comparison),
    under: comparisonSides(comparison),
    first: comparisonFigures(comparison),
    sections: comparisonSections(comparison, {
      pose: poseSection(comparison),
      changes: changesSection(comparison, pictures, objectives),
    }),
    headlightVersion,
    style,
  })
}

/** Both tables in a line each, HTML. */
export function comparisonSides({ a, b }: Comparison): string {
  return `${sideText('A', a)}<br>${sideText('B', b)}`
}

/** What is to be seen first: figures and notes, HTML. */
export function comparisonFigures(comparison: Comparison): string {
  return `${figures(comparison)}\n${notesPart(comparison)}`
}

/** All that is said of a comparison; `shown` is HTML of whoever shows the grids and pictures, empty where another does. */
export function comparisonSections(
  comparison: Comparison,
  shown: { readonly pose: string; readonly changes: string },
): readonly PageSection[] {
  return [
    { id: 'difference', name: 'Difference', html: differenceSection(comparison) },
    { id: 'pose', name: 'Over pose', html: shown.pose },
    { id: 'subjects', name: 'Subjects and sequences', html: namesSection(comparison) },
    { id: 'images', name: 'Images', html: imagesSection(comparison) },
    { id: 'failed', name: 'Failed in one only', html: failuresSection(comparison) },
    { id: 'maps', name: 'Likeness of maps', html: mapsSection(comparison) },
    { id: 'changes', name: 'Largest changes', html: shown.changes },
    { id: 'made', name: 'What differs', html: factsSection(comparison) },
  ]
}

/** Ahead of all figures: some of them say how far these can be believed. */
function notesPart({ notes }: Comparison): string {
  if (notes.length === 0) return ''
  return `<div class="note">${notes.map((note) => `<p>${escapeHtml(withPlaces(note))}</p>`).join('')}</div>`
}

/** What tells the two apart at a glance. */
export function comparisonTitle({ a, b }: Comparison): string {
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
