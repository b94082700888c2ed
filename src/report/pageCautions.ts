import type { ResultSet } from '../output/resultSet.ts'
import type { Scope } from '../saliency/choices.ts'
import { escapeHtml } from './escaping.ts'
import { fewImages } from './fewImages.ts'
import { hundredth, whole } from './numberText.ts'
import type { PageContent } from './pageContent.ts'

/** From here on two maps are called near-copies of one another. */
const nearCopy = 0.8

/** Below this the maps of two objectives are said to differ. */
const alike = 0.5

interface Pair {
  readonly a: string
  readonly b: string
  readonly correlation: number
  /** Undefined in summaries of earlier versions. */
  readonly n: number | undefined
}

/** How alike the maps of different objectives are; empty when there is one. */
export function correlationSection({ summary, set }: PageContent): string {
  const pairs = Object.entries(summary.mapCorrelations).map(([name, correlation]): Pair => {
    const [a = '', b = ''] = name.split('~')
    return { a, b, correlation, n: summary.mapCorrelationImages?.[name] }
  })
  if (pairs.length === 0) return ''
  const counted = pairs.some(({ n }) => n !== undefined)
  const rows = pairs.map(({ a, b, correlation, n }) => {
    const images = counted ? `<td class="number">${n === undefined ? '' : whole(n)}</td>` : ''
    return `<tr><td><code>${escapeHtml(a)}</code></td><td><code>${escapeHtml(b)}</code></td><td class="number">${hundredth(correlation)}</td>${images}</tr>`
  })
  const over = counted
    ? 'all images that have both maps'
    : 'the images that this run computed, which may be few of all,'
  return `<p>Mean over ${over} of the Pearson correlation between the magnitude maps (28 × 28) of two objectives.</p>
<div class="scroll"><table><thead><tr><th scope="col">objective</th><th scope="col">objective</th><th scope="col" class="number">correlation</th>${counted ? '<th scope="col" class="number">images</th>' : ''}</tr></thead><tbody>${rows.join('')}</tbody></table></div>
<div class="note"><p>${likenessText(pairs, set.options.scope).map(escapeHtml).join(' ')}</p></div>`
}

/** What follows from these numbers, for these maps: sentences. */
function likenessText(pairs: readonly Pair[], scope: Scope): string[] {
  // By arithmetic, whatever the network.
  const opposites = scope === 'none' ? pairs.filter(({ a, b }) => a === `-${b}` || b === `-${a}`) : []
  const others = pairs.filter((pair) => !opposites.includes(pair))
  const copies = others.filter(({ correlation }) => correlation >= nearCopy)
  const sentences: string[] = []
  if (copies.length > 0) {
    sentences.push(
      copies.length === others.length
        ? `These maps are near-copies of one another (correlation ${rangeText(copies)}).`
        : `The maps of ${copies.map(({ a, b }) => `${a} and ${b}`).join(', of ')} are near-copies of each other (${rangeText(copies)}); the others are not.`,
      'A region that lights up under more than one of them is therefore no evidence that it serves one rather than another.',
    )
  } else if (others.length > 0) {
    sentences.push(
      `These maps are no near-copies of one another (correlation ${rangeText(others)})${others.some(({ correlation }) => correlation >= alike) ? ', but alike.' : ': the objectives light up different places.'}`,
      scope === 'none'
        ? 'Plain gradients are noisy, and noise alone lowers such correlations, so a difference is no evidence either.'
        : 'That a place lights up under one of them alone is a hypothesis, which covering it can test.',
    )
  }
  if (scope === 'all') {
    sentences.push(
      'On a real head-pose network guided maps of yaw, pitch and roll correlate at about 0.93, and the map of +yaw at 0.88 with that of −yaw, which asks for the opposite: read no direction into guided maps.',
    )
  }
  if (opposites.length > 0) {
    sentences.push(
      'A plain gradient and that of the negative differ in sign alone, so their magnitudes are the same map.',
    )
  }
  const fewest = Math.min(...pairs.map(({ n }) => n ?? Infinity))
  if (fewest < fewImages) sentences.push(`A mean over ${fewest === 1 ? '1 image' : `${fewest} images`} may be chance.`)
  return sentences
}

/** `0.93`, or `0.85 to 0.93`. */
function rangeText(pairs: readonly Pair[]): string {
  const values = pairs.map(({ correlation }) => correlation)
  const [low, high] = [hundredth(Math.min(...values)), hundredth(Math.max(...values))]
  return low === high ? low : `${low} to ${high}`
}

/** What the maps can tell and what they cannot, for this scope. */
export function limitsSection(set: ResultSet): string {
  const { scope } = set.options
  const method = {
    all: 'These are guided-backpropagation maps (Springenberg et al. 2014): the objective is propagated back to the image as if to form its derivative, but every guided activation on the way (ReLU, ReLU6, PReLU) passes only what is positive, so the result is no derivative of anything.',
    stem: 'These maps are guided at the first activation (ReLU, ReLU6 or PReLU) only; everything behind it is plain backpropagation.',
    none: 'These maps are plain gradients of the objective with respect to the image, with no guidance.',
  }[scope]
  const guided =
    scope === 'none'
      ? '<p>A plain gradient says how the angle would react to a very small change of each pixel, nothing about larger changes; it is noisy, and its brightest spots need not be where the evidence lies.</p>'
      : `<p>They can show whether the network reacts to the head at all or to background, frame or collar, and they put a fine outline on it. They cannot show why an angle came out as it did. The same rule that makes them sharp makes them resemble the image: they hardly change when the upper layers are replaced by random numbers (Adebayo et al. 2018), theory finds them close to a reconstruction of the image (Nie et al. 2018), and rules of this kind lose what the later layers say (Sixt et al. 2020).</p>
<p>So compare maps between images or networks, and treat a single sharp map as a picture of edges that the first layers respond to until another method, such as covering a region and looking at the angle, agrees.</p>`
  return `<p>${method}</p>${guided}<p class="quiet">More on this, with references and headlight’s own assumptions, in docs/limits.md of its source.</p>`
}
