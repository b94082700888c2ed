import type { Aggregates } from '../../output/aggregates.ts'
import type { AngleName } from '../../pose/euler.ts'
import { poseCellSize } from '../../pose/poseCell.ts'
import { cellName } from '../cellName.ts'
import { solid } from '../fewImages.ts'
import { hundredth, tenth, trueSignedHundredth, whole } from '../numberText.ts'
import type { PageContent } from '../pageContent.ts'
import { signed } from '../plotFrame.ts'
import { drawCumulativeErrors } from './cumulativeErrors.ts'
import { anglesOf, biasOf, meanAbsolute, meanOfAngles, measured } from './groupErrors.ts'
import { foldedTable, type NumberColumn } from './numberTable.ts'
import { poseErrorGrids, type PoseGroup } from './poseErrorGrids.ts'
import { drawYawBands } from './yawBands.ts'

/** Errors and bias over yaw × pitch, by |yaw|, and how they are spread; nothing where no image has an error. */
export function poseErrorsSection({ aggregates, summary }: PageContent): string {
  if (aggregates === null) return ''
  const angles = anglesOf(aggregates.all)
  if (angles.length === 0) return ''
  const spread = `<figure class="panel"><h3>Share of images within an error</h3>${drawCumulativeErrors(aggregates.all)}</figure>`
  const cells = aggregates.cells.filter((cell) => measured(cell) > 0)
  if (cells.length === 0) return spread
  const finding = findingText(cells)
  const excluded = summary.errors?.excluded ?? summary.partialErrors?.excluded ?? 0
  return `<p>${placedText(aggregates)} Cells are ${poseCellSize}° wide. An error is |estimate − label|, averaged over the images of a cell.${excludedText(excluded)}</p>
<p><strong>${finding}</strong></p>
${poseErrorGrids(cells, angles, { finding, beside: `<figure class="side"><h3>Error by |yaw|</h3>${drawYawBands(cells, angles)}</figure>` })}
${cellTable(cells, angles)}
${spread}`
}

function placedText({ placedBy: { label, estimate, none } }: Aggregates): string {
  return [
    `Images are placed by their labels (${whole(label)}).`,
    ...(estimate === 0
      ? []
      : [`Those without a label are placed by their estimates and have no error (${whole(estimate)}).`]),
    ...(none === 0 ? [] : [`Those with neither yaw nor pitch are in no cell (${whole(none)}).`]),
  ].join(' ')
}

function excludedText(excluded: number): string {
  return excluded === 0
    ? ''
    : ` By convention an image with a label beyond ±99° has no error (${whole(excluded)} of these).`
}

/** Where the error is largest, and smallest. */
function findingText(cells: readonly PoseGroup[]): string {
  const sorted = solid(cells, measured).toSorted((a, b) => (meanOfAngles(a) ?? 0) - (meanOfAngles(b) ?? 0))
  const [best, worst] = [sorted[0], sorted.at(-1)]
  if (best === undefined || worst === undefined) return ''
  const at = (cell: PoseGroup) => `${tenth(meanOfAngles(cell) ?? 0)}° at ${cellName(cell)} (n ${whole(measured(cell))})`
  return best === worst ? `All of it is ${at(best)}.` : `Largest error ${at(worst)}; smallest ${at(best)}.`
}

function cellTable(cells: readonly PoseGroup[], angles: readonly AngleName[]): string {
  const several = angles.length > 1
  const columns: NumberColumn[] = [
    { name: 'yaw from' },
    { name: 'pitch from' },
    { name: 'images' },
    ...(several ? [{ name: 'error' }] : []),
    ...angles.map((angle) => ({ name: `${angle} error` })),
    ...angles.map((angle) => ({ name: `${angle} bias` })),
  ]
  const rows = cells.map((cell) => [
    signed(cell.yaw),
    signed(cell.pitch),
    whole(measured(cell)),
    ...(several ? [hundredth(meanOfAngles(cell) ?? 0)] : []),
    ...angles.map((angle) => hundredth(meanAbsolute(cell.errors[angle]) ?? 0)),
    ...angles.map((angle) => trueSignedHundredth(biasOf(cell, angle) ?? 0)),
  ])
  return foldedTable(columns, rows, 'Errors by cell of yaw and pitch as a table, degrees')
}
