import { escapeHtml } from '../escaping.ts'
import { signedTenth, tenth, whole } from '../numberText.ts'
import type { PageContent } from '../pageContent.ts'
import { drawnRuns } from './drawnRuns.ts'
import { standingOut, worseFactor, worseGroups } from './standsOut.ts'
import { areAlike } from './subjects.ts'

/** Of each kind so many are told; the sections have all. */
const toldOfEach = 3

/**
 * What stands out of the whole dataset, for the top of the page: whoever opens a report after a bad night is not to scroll
 * for it. Empty where no rule could be applied.
 */
export function findings(content: Pick<PageContent, 'aggregates' | 'runs'>): string {
  const { aggregates, runs } = content
  if (aggregates === null || Object.keys(aggregates.all.errors).length === 0) return ''
  const lines = [
    ...runLines(content),
    ...nameLines(aggregates.subjects, 'subject'),
    ...(areAlike(aggregates.subjects, aggregates.sequences) ? [] : nameLines(aggregates.sequences, 'sequence')),
  ]
  const hasNames = aggregates.subjects.named.length + aggregates.sequences.named.length > 0
  if (lines.length === 0) {
    if (!hasNames && runs.length < 2) return ''
    return '<p class="quiet findings">No run, subject or sequence stands out by the criteria in its section.</p>'
  }
  return `<div class="note findings"><p><strong>Stands out</strong></p><ul>${lines.map((line) => `<li>${line}</li>`).join('')}</ul></div>`
}

function runLines({ runs }: Pick<PageContent, 'runs'>): string[] {
  const worse = drawnRuns(runs).filter(({ isWorse }) => isWorse)
  const told = worse.slice(-toldOfEach).map(({ run, ownError, ownErrors }) => {
    const images = ownErrors?.n ?? 0
    return `<a href="#runs">run</a> ${key(run)}: error ${tenth(ownError ?? 0)}° over its own ${whole(images)} labelled images, more than ${worseFactor} times the usual`
  })
  return withMore(told, worse.length, 'runs', '#runs')
}

type Names = NonNullable<PageContent['aggregates']>['subjects']

function nameLines({ named }: Names, what: 'subject' | 'sequence'): string[] {
  const biased = standingOut(named).toSorted((a, b) => Math.abs(b.bias - b.median) - Math.abs(a.bias - a.median))
  const worse = worseGroups(named).filter(({ name }) => !biased.some((found) => found.name === name))
  const link = `<a href="#subjects">${what}</a>`
  const lines = [
    ...biased.map(
      ({ name, angle, bias, median }) =>
        `${link} ${key(name)}: bias in ${angle} ${signedTenth(bias)}°, the median of all being ${signedTenth(median)}°; its labels may be wrong`,
    ),
    ...worse.map(
      ({ name, error, median }) =>
        `${link} ${key(name)}: error ${tenth(error)}°, the median of all being ${tenth(median)}°`,
    ),
  ]
  return withMore(lines.slice(0, toldOfEach), lines.length, `${what}s`, '#subjects')
}

function withMore(told: readonly string[], all: number, what: string, href: string): string[] {
  return all > told.length ? [...told, `<a href="${href}">${whole(all - told.length)} more ${what}</a>`] : [...told]
}

function key(name: string): string {
  return `<span class="key">${escapeHtml(name)}</span>`
}
