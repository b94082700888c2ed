import { errorCodes } from '../base/errors.ts'
import { withoutPassword } from '../base/telemetry.ts'
import { describeAdapter } from '../dataset/adapters.ts'
import { leftOutText } from '../dataset/leftOut.ts'
import type { ResultSet } from '../output/resultSet.ts'
import type { Summary } from '../output/summary.ts'
import { guidanceText } from '../saliency/guidance.ts'
import { descriptionSchema, type InputDescription } from '../saliency/networks/description.ts'
import { kindOf } from '../saliency/networks/heads/kinds.ts'
import { channelsText, resizeText } from '../saliency/networks/inputText.ts'
import { escapeHtml } from './escaping.ts'
import { minute, whole } from './numberText.ts'
import type { PageContent } from './pageContent.ts'

/** By code: how many samples failed, and the first of them; and what the listing left out. */
export function failuresSection({ failures, summary }: PageContent): string {
  const leftOut = leftOutText(summary.leftOut)
  const missing =
    leftOut === undefined
      ? ''
      : `<div class="note"><p>Left out of the dataset, so that no number on this page counts them: ${escapeHtml(leftOut)}.</p></div>`
  if (failures.length === 0) return `<p>No image failed.</p>${missing}`
  const meanings: Readonly<Record<string, string>> = errorCodes
  const rows = failures.map(({ code, count, examples }) => {
    const shown = examples.map(
      ({ key, message }) =>
        `<div><span class="key">${escapeHtml(key)}</span> <span class="quiet">${escapeHtml(message)}</span></div>`,
    )
    return `<tr><td><code>${escapeHtml(code)}</code><br><span class="quiet">${escapeHtml(meanings[code] ?? '')}</span></td><td class="number">${whole(count)}</td><td>${shown.join('')}</td></tr>`
  })
  return `<p>Their records stand in the table too, with code and message.</p>
<div class="scroll"><table><thead><tr><th scope="col">code</th><th scope="col" class="number">images</th><th scope="col">first of them</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${missing}`
}

/** Network, options and run. */
export function factsSection(set: ResultSet, summary: Summary): string {
  const { options, network, dataset } = set
  const description = descriptionSchema.safeParse(network.description)
  const code = (text: string) => `<code>${escapeHtml(text)}</code>`
  const facts: [string, string][] = [
    ['network', code(network.file)],
    ['SHA-256', code(network.digest)],
  ]
  if (network.externalData) {
    facts.push(['its weights', code(network.externalData.file)], ['their SHA-256', code(network.externalData.digest)])
  }
  if (description.success) {
    const { input, heads } = description.data
    facts.push(['heads', heads.map((head) => escapeHtml(kindOf(head.kind).text(head))).join('<br>')])
    facts.push(['input', escapeHtml(inputText(input))])
  }
  facts.push(
    ['objectives', options.objectives.map(code).join(', ')],
    ['activations', escapeHtml(activationsText(options, summary))],
    ['map style', styleText(options.style)],
    [
      'engine',
      summary.engine.length === 0 ? 'none: nothing was computed in this run' : escapeHtml(summary.engine.join(', ')),
    ],
    [
      'dataset',
      `${code(withoutPassword(dataset.uri))}, read as ${escapeHtml(withoutPassword(describeAdapter(options.adapter)))}`,
    ],
    ['result set', code(withoutPassword(summary.output))],
    [
      'run',
      `${code(summary.run)}, ${escapeHtml(minute(summary.startedAt))} to ${escapeHtml(minute(summary.closedAt))}`,
    ],
  )
  return `<dl class="facts">${facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('')}</dl>`
}

/** What is guided, counted where somebody has counted it. */
function activationsText({ scope, relu6 }: ResultSet['options'], { activations }: Summary): string {
  if (activations !== undefined) return guidanceText(activations, { scope, relu6 })
  const [all, first] = relu6 === undefined ? ['all', 'the first'] : ['all but ReLU6', 'the first that is no ReLU6']
  return {
    all: `${all} guided (scope all)`,
    stem: `${first} guided, the others plain (scope stem)`,
    none: 'all plain (scope none)',
  }[scope]
}

function inputText(input: InputDescription): string {
  return [
    `${input.width} × ${input.height}`,
    `${resizeText(input)}${input.filter === undefined ? '' : " (OpenCV's filter)"}`,
    channelsText(input),
    ...(input.normalise === undefined ? [] : ['from its darkest number to its brightest']),
  ].join(', ')
}

function styleText(style: ResultSet['options']['style']): string {
  return style === 'origin'
    ? 'origin: (g − mean) / std · 0.1 + 0.5, RGB; mid-grey means no gradient'
    : 'magnitude: largest |g| of the channels, clipped at its 99.5th percentile, grey'
}
