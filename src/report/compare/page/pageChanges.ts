import { angleNames, type AngleName, type Degrees } from '../../../pose/euler.ts'
import { escapeHtml } from '../../escaping.ts'
import { hundredth, signedTenth, tenth, trueSignedHundredth, whole } from '../../numberText.ts'
import type { ChangePictures, SidePicture } from '../changePictures.ts'
import type { Comparison, LargestChange } from '../comparison.ts'

/** The images that changed most, with what both tables show of them; nothing where none did. */
export function changesSection(
  { largest, largestBy, maps }: Comparison,
  pictures: readonly ChangePictures[],
  objectives: { readonly a: readonly string[]; readonly b: readonly string[] },
): string {
  if (largest.length === 0) return ''
  const what = {
    error: 'whose mean error over the angles changed most, for better or worse',
    estimate: 'whose estimates lie furthest apart, means over the angles',
    maps: 'whose maps are least alike; no estimate differs',
  }[largestBy]
  const cards = largest.map((image, i) => card(image, largestBy, pictures[i]))
  return `<p>The ${whole(largest.length)} images ${what}. ${orderText(objectives)}${likenessText(Object.keys(maps?.objectives ?? {}).length)} They were chosen because they are extreme: each says what can happen, none what is usual.</p>
<ul class="cards changes">${cards.join('')}</ul>`
}

function orderText({ a, b }: { readonly a: readonly string[]; readonly b: readonly string[] }): string {
  const names = (objectives: readonly string[]) =>
    objectives.map((each) => `<code>${escapeHtml(each)}</code>`).join(', ')
  const order = (objectives: readonly string[]) =>
    objectives.length === 1
      ? `what the network saw, the map of ${names(objectives)}, and its magnitude as colour over the image`
      : `what the network saw, then for each of ${names(objectives)} the map above, its magnitude as colour over the image below`
  return names(a) === names(b) ? `A, then B: ${order(a)}.` : `A: ${order(a)}. B: ${order(b)}.`
}

/** What a card's one number is of, where that is not plain. */
function likenessText(objectives: number): string {
  return objectives < 2
    ? ''
    : ` How maps correlate is the mean over ${whole(objectives)} objectives; no more than two are drawn.`
}

function card(image: LargestChange, by: Comparison['largestBy'], pictures: ChangePictures | undefined): string {
  const { key, subject, sequence, delta, disagreement, likeness } = image
  const alike = likeness === null ? '' : `maps correlate at ${hundredth(likeness)}`
  const changes = {
    error: `<strong>${trueSignedHundredth(delta ?? 0)}°</strong> ${(delta ?? 0) > 0 ? 'worse' : 'better'}`,
    estimate: `estimates <strong>${tenth(disagreement ?? 0)}°</strong> apart`,
    maps: '',
  }
  const change = [changes[by], alike].filter((part) => part !== '').join(' · ')
  const named = [subject, sequence].filter((name) => name !== null).map((name) => escapeHtml(name))
  const sides = (['a', 'b'] as const).map((side) => {
    const shown = pictures?.[side]
    return shown === undefined ? '' : sidePicture(side.toUpperCase(), shown, key)
  })
  return `<li class="card"><p class="key">${escapeHtml(key)}</p><p class="answer">${change}${named.length === 0 ? '' : `<span class="quiet"> · ${named.join(' · ')}</span>`}</p>${sides.join('')}${anglesTable(image)}</li>`
}

function sidePicture(side: string, { picture, width, height, notes }: SidePicture, key: string): string {
  const tags = notes.map((note) => `<span class="tag caution">${note}</span>`).join('')
  return `<figure class="side"><figcaption>${side}${tags}</figcaption><img src="${picture}" width="${width}" height="${height}" loading="lazy" decoding="async" alt="${side} of ${escapeHtml(key)}: image, map and overlay"></figure>`
}

function anglesTable({ label, a, b }: LargestChange): string {
  const isLabelled = angleNames.some((angle) => label[angle] !== null)
  const row = (name: string, values: Readonly<Record<AngleName, Degrees | null>>) =>
    `<tr><th scope="row">${name}</th>${angleNames.map((angle) => `<td>${values[angle] === null ? '' : signedTenth(values[angle])}</td>`).join('')}</tr>`
  return `<table class="angles"><thead><tr><td></td>${angleNames.map((angle) => `<th scope="col">${angle}</th>`).join('')}</tr></thead><tbody>${isLabelled ? row('label', label) : ''}${row('A', a)}${row('B', b)}</tbody></table>`
}
