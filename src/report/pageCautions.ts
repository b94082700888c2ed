import type { ResultSet } from '../output/resultSet.ts'
import { escapeHtml } from './escaping.ts'
import { hundredth } from './numberText.ts'
import type { PageContent } from './pageContent.ts'

/** How alike the maps of different objectives are; empty when there is one. */
export function correlationSection({ summary }: PageContent): string {
  const pairs = Object.entries(summary.mapCorrelations)
  if (pairs.length === 0) return ''
  const rows = pairs.map(([pair, correlation]) => {
    const [a = '', b = ''] = pair.split('~')
    return `<tr><td><code>${escapeHtml(a)}</code></td><td><code>${escapeHtml(b)}</code></td><td class="number">${hundredth(correlation)}</td></tr>`
  })
  return `<p>Mean over the computed images of the Pearson correlation between the magnitude maps (28 × 28) of two objectives.</p>
<div class="scroll"><table><thead><tr><th scope="col">objective</th><th scope="col">objective</th><th scope="col" class="number">correlation</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
<div class="note"><p>Guided maps of yaw, pitch and roll are near-copies of one another: on a real head-pose network they correlate at about 0.93, and the map of +yaw correlates at 0.88 with that of −yaw, which asks for the opposite. A region that lights up under yaw is therefore no evidence that it serves yaw rather than pitch or roll, nor that it pushes the angle one way: read no direction into these maps.</p></div>`
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
