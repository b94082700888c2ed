import type { ResultSet } from '../output/resultSet.ts'
import { angleNames } from '../pose/euler.ts'
import { descriptionSchema } from '../saliency/networks/description.ts'
import { escapeHtml } from './escaping.ts'
import { whole } from './numberText.ts'
import type { PageContent } from './pageContent.ts'

/** What is to be seen, the controls, and the empty list that the page's script fills. */
export function gallerySection({ set, summary, samples, samplesLeftOut, objectives, hasAngles }: PageContent): string {
  const worst = samples.filter((sample) => sample.worst).length
  const spaced = samples.filter((sample) => sample.spaced).length
  const labelled = worst > 0
  const shown = objectives.map((objective) => `<code>${escapeHtml(objective)}</code>`).join(', ')
  const order =
    objectives.length === 1
      ? `Side by side: the part of the image that the network saw, the map of objective ${shown}, and the map’s magnitude as colour over the image.`
      : `Left: the part of the image that the network saw. Then one column each for the objectives ${shown}: the map above, its magnitude as colour over the image below.`
  const left = set.options.objectives.length - objectives.length
  const options = (entries: readonly (readonly [string, string])[]) =>
    entries.map(([value, text]) => `<option value="${value}">${text}</option>`).join('')
  const which = [
    ['all', 'all that are here'],
    ...(labelled ? [['worst', 'the worst'] as const] : []),
    ['spaced', 'evenly spaced'],
  ] as const
  const by = [
    ...(labelled ? [['mean', 'mean error'] as const] : []),
    ['key', 'key'],
    ...(labelled ? angleNames.map((angle) => [`error:${angle}`, `error in ${angle}`] as const) : []),
    ...(samples.some(({ top }) => top !== null) ? [['top', 'probability of the top class'] as const] : []),
    ...(hasAngles ? angleNames.map((angle) => [`estimate:${angle}`, `estimated ${angle}`] as const) : []),
    ...(labelled ? angleNames.map((angle) => [`label:${angle}`, `labelled ${angle}`] as const) : []),
  ] as const
  const all = samples.length === summary.counts.total - summary.counts.failed
  const chosenHere = labelled
    ? `The ${whole(worst)} images with the largest mean angle error and ${whole(spaced)} evenly spaced over the dataset`
    : `${whole(spaced)} images evenly spaced over the dataset`
  const chosen = all ? 'All images that did not fail' : `${chosenHere}; every image is in <code>angles.parquet</code>`
  const lacking =
    samplesLeftOut === 0
      ? ''
      : ` Keys this long leave no room for ${samplesLeftOut === 1 ? '1 more' : `${whole(samplesLeftOut)} more`} of the evenly spaced ones.`
  const pager = (suffix: string) =>
    `<div class="pager${suffix === '' ? '' : ' low'}"><button type="button" id="previous${suffix}">Previous</button><span id="position${suffix}" aria-live="polite"></span><button type="button" id="next${suffix}">Next</button></div>`
  return `<p>${chosen}.${lacking} ${order}${seenText(set)}${left > 0 ? ` ${whole(left)} more objectives are in the store but not shown here.` : ''}</p>
<p>The colours are means over 28 × 28 cells, scaled by the 99.5th percentile of each picture: compare places within a picture, not brightness between pictures.</p>
<p class="legend"><span>weak</span><i></i><span>strong</span></p>
<div class="note"><p>A sharp map is no proof that the network used what it shows: read <a href="#limits">what the maps can tell</a> first.</p></div>
<noscript><p>The gallery needs the script inside this page; your browser has scripts switched off.</p></noscript>
<div class="controls">
<label${labelled && !all ? '' : ' hidden'}>show<select id="which">${options(which)}</select></label>
<label>sort by<select id="by">${options(by)}</select></label>
<label>order<select id="direction">${labelled ? '' : '<option value="up">smallest first</option>'}<option value="down">largest first</option>${labelled ? '<option value="up">smallest first</option>' : ''}</select></label>
<label>key contains<input id="search" type="search" autocomplete="off" spellcheck="false"></label>
${pager('')}
</div>
<p class="under" id="found" aria-live="polite"></p>
<ul class="cards${objectives.length > 1 ? ' wide' : ''}" id="cards"></ul>
<p class="empty" id="none" hidden>No image here matches.</p>
${pager('-low')}`
}

/** Thumbnails come from the image itself, and are finer or coarser than what the network was given. */
function seenText({ network }: ResultSet): string {
  const description = descriptionSchema.safeParse(network.description).data
  if (description === undefined) return ''
  const { width, height, channels } = description.input
  return ` These are thumbnails of the images: the network was given ${width} × ${height} pixels${channels === 'gray' ? ' of gray' : ''}.`
}
