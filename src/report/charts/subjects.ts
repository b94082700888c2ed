import type { Names } from '../../output/aggregates.ts'
import { angleNames, type AngleName, type Degrees } from '../../pose/euler.ts'
import { escapeHtml } from '../escaping.ts'
import { fewImages } from '../fewImages.ts'
import { hundredth, signedTenth, trueSignedHundredth, whole } from '../numberText.ts'
import type { PageContent } from '../pageContent.ts'
import { drawBiasStrip } from './biasStrip.ts'
import { biasOf, meanAbsolute, meanOfAngles, measured } from './groupErrors.ts'
import { numberTable, type NumberCell, type NumberColumn } from './numberTable.ts'
import { leastGroups, standingOut, standingOutRule, type StandingOut } from './standsOut.ts'

/** The tables show so many of the largest, and the smaller ones that stand out; the file has some more. */
const shownNames = 200
/** The line above a table names so many of those that stand out. */
const toldNames = 5

type Named = 'subjects' | 'sequences'

/** Errors by subject and by sequence; nothing where the dataset names neither, or no image of them has an error. */
export function subjectsSection({ aggregates }: PageContent): string {
  if (aggregates === null) return ''
  const { subjects, sequences } = aggregates
  const first = namesPart(subjects, 'subjects', standingOutRule(comparedText(subjects, 'subjects')))
  return [
    first,
    // Where each subject has one sequence, the second table would be the first one under other names.
    areAlike(subjects, sequences)
      ? ''
      : namesPart(
          sequences,
          'sequences',
          first === ''
            ? standingOutRule(comparedText(sequences, 'sequences'))
            : `The rule is the same, among ${comparedText(sequences, 'sequences')}.`,
        ),
  ].join('')
}

/** Whether both divide the images alike, under whatever names. */
export function areAlike(a: Names, b: Names): boolean {
  const parts = ({ named }: Names) =>
    named
      .map(({ n, errors: { yaw, pitch, roll } }) => [n, yaw?.signedSum, pitch?.signedSum, roll?.signedSum].join(' '))
      .sort((left, right) => (left < right ? -1 : 1))
      .join('\n')
  return parts(a) === parts(b)
}

/** Which of them have a bias of their own: beyond so many, the file has their sums alone. */
function comparedText({ named, others }: Names, what: string): string {
  return others === null ? `all ${what}` : `the ${whole(named.length)} largest ${what}`
}

function namesPart({ named, others, unnamed }: Names, what: Named, rule: string): string {
  const outstanding = standingOut(named)
  const outNames = new Set(outstanding.map(({ name }) => name))
  const largest = named.slice(0, shownNames)
  const smaller = named.slice(shownNames).filter(({ name }) => outNames.has(name))
  const shown = [...largest, ...smaller].filter((group) => measured(group) > 0)
  const angles = angleNames.filter((angle) => shown.some(({ errors }) => errors[angle] !== undefined))
  if (shown.length === 0) return ''
  const sorted = shown.toSorted((a, b) => (meanOfAngles(b) ?? 0) - (meanOfAngles(a) ?? 0))
  const more = named.length - largest.length - smaller.length + (others?.names ?? 0)
  const left = [
    ...(more === 0 ? [] : [`Smaller ${what} that are not shown: ${whole(more)}${others?.isMore ? ' or more' : ''}`]),
    ...(unnamed === null ? [] : [`Images that belong to none: ${whole(unnamed.n)}`]),
  ]
  return `<h3 class="part">${what}</h3><p><strong>${findingText(outstanding, named, what)}</strong> ${rule}${left.length === 0 ? '' : ` ${left.join('. ')}.`}</p>
${named.some((group) => measured(group) >= fewImages) ? `<div class="plots"><figure><h3>Bias of ${what}</h3>${drawBiasStrip(named, angles, outstanding, what)}</figure></div>` : ''}
${namesTable(sorted, angles, outstanding, captionText({ shown: sorted.length, smaller: smaller.length, more }, what))}`
}

function captionText(
  { shown, smaller, more }: { readonly shown: number; readonly smaller: number; readonly more: number },
  what: Named,
): { what: Named; caption: string } {
  const all = shown === 1 ? `The only one of the ${what}` : `All ${whole(shown)} ${what}`
  const which = more === 0 ? all : `The ${whole(shown - smaller)} largest ${what}`
  const also = smaller === 0 ? '' : ` and ${whole(smaller)} smaller that stand${smaller === 1 ? 's' : ''} out`
  return { what, caption: `${which}${also}, the largest error first. ◆ marks a bias that stands out. All in degrees.` }
}

function findingText(outstanding: readonly StandingOut[], named: Names['named'], what: string): string {
  const enough = named.filter((group) => measured(group) >= fewImages).length
  if (enough < leastGroups)
    return `None of the ${what} can stand out: ${enough === 0 ? 'none' : `only ${enough}`} of them ${enough > 1 ? 'have' : 'has'} ${fewImages} labelled images or more.`
  if (outstanding.length === 0) return `None of the ${what} stands out.`
  const told = outstanding
    .toSorted((a, b) => Math.abs(b.bias - b.median) - Math.abs(a.bias - a.median))
    .slice(0, toldNames)
    .map(
      ({ name, angle, bias, median }) =>
        `<span class="key">${escapeHtml(name)}</span> with a bias in ${angle} of ${signedTenth(bias)}° (median of the ${what} ${signedTenth(median)}°)`,
    )
  const more = outstanding.length - told.length
  return `Standing out: ${told.join('; ')}${more === 0 ? '' : `; and ${more} more`}.`
}

function namesTable(
  groups: Names['named'],
  angles: readonly AngleName[],
  outstanding: readonly StandingOut[],
  { what, caption }: { readonly what: Named; readonly caption: string },
): string {
  const several = angles.length > 1
  const hasGeodesic = groups.some(({ errors }) => errors.geodesic !== undefined)
  const columns: NumberColumn[] = [
    { name: what === 'subjects' ? 'subject' : 'sequence', isText: true },
    { name: 'images' },
    ...(several ? [{ name: 'error' }] : []),
    ...angles.map((angle) => ({ name: `${angle} error` })),
    ...angles.map((angle) => ({ name: `${angle} bias` })),
    ...(hasGeodesic ? [{ name: 'geodesic' }] : []),
  ]
  const rows = groups.map((group): NumberCell[] => [
    { html: escapeHtml(group.name), className: 'key' },
    { html: whole(measured(group)), className: measured(group) < fewImages ? 'few' : '' },
    ...(several ? [number(meanOfAngles(group))] : []),
    ...angles.map((angle) => number(meanAbsolute(group.errors[angle]))),
    ...angles.map((angle) => {
      const text = signed(biasOf(group, angle))
      const isOut = outstanding.some((found) => found.name === group.name && found.angle === angle)
      return isOut ? { html: `◆ ${text}`, className: 'out' } : text
    }),
    ...(hasGeodesic ? [number(meanAbsolute(group.errors.geodesic))] : []),
  ])
  const name = `Errors of ${what}`
  return `<p class="under">${caption}</p>${numberTable(columns, rows, { name, sortedBy: { column: 2, order: 'descending' } })}`
}

function number(value: Degrees | undefined): string {
  return value === undefined ? '' : hundredth(value)
}

function signed(value: Degrees | undefined): string {
  return value === undefined ? '' : trueSignedHundredth(value)
}
