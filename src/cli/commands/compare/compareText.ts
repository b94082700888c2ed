import { shownLine, shownText } from '../../../base/shownText.ts'
import { angleNames } from '../../../pose/euler.ts'
import { basisText } from '../../../report/compare/basisText.ts'
import type { Comparison, ComparisonSide } from '../../../report/compare/comparison.ts'
import { metrics, type ComparedGroup } from '../../../report/compare/groupSums.ts'
import { change, type NamedGroups } from '../../../report/compare/nameGroups.ts'
import type { SideErrors } from '../../../report/compare/sideErrors.ts'
import { hundredth, minute, signedHundredth } from '../../../report/numberText.ts'
import { place, withPlaces } from '../../../storage/place.ts'
import { number } from '../../messages/quantities.ts'

/** So many subjects and sequences are shown; --json and the page have more. */
const namesShown = 10
/** So many of the images that changed most. */
const imagesShown = 10

/** What `compare` says to people. */
export function comparisonText(comparison: Comparison): string {
  return [
    sidesText(comparison),
    imagesText(comparison),
    errorsText(comparison),
    disagreementText(comparison),
    apartText(comparison),
    bandsText(comparison),
    namesText('subject', comparison.subjects),
    namesText('sequence', comparison.sequences),
    mapsText(comparison),
    failuresText(comparison),
    largestText(comparison),
    comparison.notes.map((note) => `note: ${shownLine(withPlaces(note))}\n`).join(''),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function sidesText({ a, b, differences }: Comparison): string {
  const side = (name: string, { resultSet, run, closedAt, isState, all }: ComparisonSide): string => {
    const when = closedAt === null ? '' : `, ${minute(closedAt)}`
    const what = isState ? 'the state now' : 'an earlier state'
    return `${name}  ${shownLine(place(resultSet))}\n          run ${shownLine(run)}${when}, ${what}: ${number(all.n)} images, ${number(all.failed)} failed\n`
  }
  const width = Math.max(0, ...differences.map(({ what }) => what.length))
  const rows = differences.map(
    ({ what, a: before, b: after }) =>
      `          ${what.padEnd(width)}  ${shownLine(place(before))} → ${shownLine(place(after))}\n`,
  )
  return `${side('A before', a)}${side('B after ', b)}${rows.length === 0 ? '' : `differs in\n${rows.join('')}`}`
}

function imagesText({ images }: Comparison): string {
  const rows: [string, number][] = [
    ['compared: in both, unchanged, failed in neither', images.compared],
    ['changed: image or label is another', images.changed],
    ['only in A', images.onlyA],
    ['only in B', images.onlyB],
    ['failed in both', images.failedBoth],
    ['failed only in A', images.failedOnlyA],
    ['failed only in B', images.failedOnlyB],
    ['compared, but a label beyond ±99°: no error', images.beyondLabelLimit],
  ]
  const [compared, ...others] = rows
  const shown = [compared, ...others.filter(([, n]) => n > 0)]
  return shown.map((row) => (row === undefined ? '' : `${row[0].padEnd(48)}${number(row[1]).padStart(10)}\n`)).join('')
}

function errorsText({ all, intervals, intervalBasis }: Comparison): string {
  const { errors, disagreement } = all
  if (errors === null) return ''
  // Intervals of differences that are nothing, image by image, would say nothing in many words.
  const isSame = disagreement === 0
  const lines = metrics.flatMap((metric) => {
    const found = errors[metric]
    if (found === undefined) return []
    const interval = intervals[metric]
    const range = interval ? `${signedHundredth(interval.low)} to ${signedHundredth(interval.high)}` : 'none'
    const cells = [hundredth(found.a), hundredth(found.b), signedHundredth(found.delta)]
    return [line(metric, cells, isSame ? '' : range)]
  })
  const head = line('mean absolute error, degrees', ['A', 'B', 'B − A'], isSame ? '' : '95 % interval')
  const end = isSame ? 'no estimate differs' : basisText(intervalBasis)
  return `${head}${lines.join('')}over ${number(errors.n)} labelled images; ${end}\n`
}

const line = (name: string, cells: readonly string[], last = ''): string =>
  `${name.padEnd(30)}${cells.map((cell) => cell.padStart(9)).join('')}${last === '' ? '' : `   ${last}`}`.trimEnd() +
  '\n'

function disagreementText({ disagreement, all }: Comparison): string {
  if (disagreement === null) return ''
  const { n, mean, shift } = disagreement
  if (mean.mean === 0) return all.errors === null ? 'no estimate differs\n' : ''
  const lines = metrics.flatMap((metric) => {
    const apart = mean[metric]
    if (apart === undefined) return []
    const turned = metric === 'mean' || metric === 'geodesic' ? undefined : shift[metric]
    return [line(metric, [hundredth(apart), turned === undefined ? '' : signedHundredth(turned)])]
  })
  return `${line('estimates apart, degrees', ['|B − A|', 'B − A'])}${lines.join('')}means over ${number(n)} images, with and without labels\n`
}

/** Images that are in one table only, or changed: nothing to pair, but often what a night has brought. */
function apartText({ apart, a, b }: Comparison): string {
  const rows: [string, SideErrors][] = [
    ['all of A', a.all],
    ['all of B', b.all],
    ['only in A', apart.onlyA],
    ['only in B', apart.onlyB],
    ['changed, in A', apart.changedA],
    ['changed, in B', apart.changedB],
  ]
  const shown = rows.filter(([, { errors }]) => errors !== null)
  if (apart.onlyA.n + apart.onlyB.n + apart.changedA.n === 0 || shown.length === 0) return ''
  const lines = shown.map(([name, { errors }]) => {
    const cells = [...angleNames, 'mean' as const].map((key) => {
      const mae = errors?.mae[key]
      return mae === undefined ? '' : hundredth(mae)
    })
    return line(name, [number(errors?.n ?? 0), ...cells])
  })
  return `${line('mean absolute error, not paired', ['images', ...angleNames, 'mean'])}${lines.join('')}`
}

function bandsText({ bands, all, placedBy }: Comparison): string {
  if (bands.length === 0 || !hasChanged(all)) return ''
  const by = placedBy.label === 0 ? 'estimated' : placedBy.estimate === 0 ? 'labelled' : 'labelled or estimated'
  const lines = bands.map((band) => groupLine(`${band.from}° to ${band.to}°`, band))
  return `${groupHead(`mean error by |yaw|, ${by}`, all)}${lines.join('')}`
}

function namesText(what: 'subject' | 'sequence', { named, others, unnamed }: NamedGroups): string {
  // One name is what stands above already.
  const changed = named.filter((group) => change(group) > 0)
  if (named.length < 2 || changed.length === 0) return ''
  const shown = changed.slice(0, namesShown)
  const total = named.length + (others?.names ?? 0)
  const more = others?.isMore === true ? ` or more` : ''
  const without = unnamed === null ? '' : `, ${number(unnamed.n)} images without one`
  const lines = shown.map((group) => groupLine(shortName(group.name), group))
  const note = `${number(shown.length)} of ${number(total)}${more} ${what}s, most changed first${without}\n`
  return `${groupHead(`mean error by ${what}`, shown[0])}${lines.join('')}${note}`
}

function groupHead(name: string, group: ComparedGroup | undefined): string {
  return group?.errors
    ? line(name, ['images', 'A', 'B', 'B − A'])
    : line(name.replace('mean error', 'estimates apart'), ['images', '|B − A|'])
}

function groupLine(name: string, { n, errors, disagreement }: ComparedGroup): string {
  if (errors === null) return line(name, [number(n), disagreement === null ? '' : hundredth(disagreement)])
  const { a, b, delta } = errors.mean
  return line(name, [number(errors.n), hundredth(a), hundredth(b), signedHundredth(delta)])
}

/** Whether any estimate is another. */
function hasChanged(group: ComparedGroup): boolean {
  return (group.disagreement ?? 0) > 0
}

function mapsText({ maps }: Comparison): string {
  if (maps === null) return ''
  const { objectives, same, missing } = maps
  const lines = Object.entries(objectives).map(([objective, { n, mean, p5 }]) =>
    line(shownText(objective), [number(n), hundredth(mean), hundredth(p5)]),
  )
  const left = [
    ...(same > 0 ? [`${countText(same)} the very same maps and ${same === 1 ? 'is' : 'are'} left out`] : []),
    ...(missing > 0 ? [`${countText(missing)} no small map that could be read`] : []),
  ]
  const end = left.length === 0 ? '' : `${left.join('; ')}\n`
  return lines.length === 0
    ? end
    : `${line('correlation of maps', ['images', 'mean', '5th pct'])}${lines.join('')}${end}`
}

function failuresText({ failures }: Comparison): string {
  const lines = (['onlyA', 'onlyB'] as const).flatMap((side) =>
    failures[side].map(({ code, count, examples }) => {
      const [example] = examples
      return `failed only in ${side === 'onlyA' ? 'A' : 'B'}: ${shownText(code)} ${number(count)}, for example ${shownLine(example?.key ?? '')}: ${shownText(example?.message ?? '')}\n`
    }),
  )
  return lines.join('')
}

function largestText({ largest, largestBy }: Comparison): string {
  if (largest.length === 0) return ''
  const head = {
    error: 'largest changes of the mean |error| of an image, degrees',
    estimate: 'images whose estimates lie furthest apart, degrees',
    maps: 'images whose maps are least alike, correlation',
  }[largestBy]
  const lines = largest.slice(0, imagesShown).map(({ key, delta, disagreement, likeness }) => {
    const sizes = {
      error: signedHundredth(delta ?? 0),
      estimate: hundredth(disagreement ?? 0),
      maps: hundredth(likeness ?? 0),
    }
    return `${sizes[largestBy].padStart(9)}  ${shownLine(key)}\n`
  })
  return `${head}\n${lines.join('')}`
}

function countText(images: number): string {
  return images === 1 ? '1 image has' : `${number(images)} images have`
}

function shortName(name: string): string {
  const shown = shownLine(name)
  return shown.length <= 28 ? shown : `…${shown.slice(-27)}`
}
