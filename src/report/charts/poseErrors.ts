import type { Aggregates } from '../../output/aggregates.ts'
import type { AngleName, Degrees } from '../../pose/euler.ts'
import { poseCellSize } from '../../pose/poseCell.ts'
import { hundredth, signedHundredth, signedTenth, tenth, whole } from '../numberText.ts'
import type { PageContent } from '../pageContent.ts'
import { signed } from '../plotFrame.ts'
import { biasScale, errorScale, type ColourScale } from './colourScale.ts'
import { drawCumulativeErrors } from './cumulativeErrors.ts'
import { anglesOf, biasOf, fewImages, meanAbsolute, meanOfAngles, measured } from './groupErrors.ts'
import { foldedTable, type NumberColumn } from './numberTable.ts'
import { drawPoseGrid, GridBounds } from './poseGrid.ts'
import { drawYawBands } from './yawBands.ts'

type Cell = Aggregates['cells'][number]

/** With more cells than this the small grids leave numbers to the table: the page would outgrow its size. */
const numberedCells = 220

/** Errors and bias over yaw × pitch, by |yaw|, and how they are spread; nothing where no placed image has an error. */
export function poseErrorsSection({ aggregates, summary }: PageContent): string {
  if (aggregates === null) return ''
  const cells = aggregates.cells.filter((cell) => measured(cell) > 0)
  const angles = anglesOf(aggregates.all)
  if (angles.length === 0) return ''
  const spread = `<figure class="panel"><h3>Share of images within an error</h3>${drawCumulativeErrors(aggregates.all)}</figure>`
  if (cells.length === 0) return spread
  const bounds = new GridBounds(cells)
  const wide = bounds.columns > 13 ? ' wide' : ''
  const mean = angles.length === 1 ? angles[0] : `mean of ${angles.slice(0, -1).join(', ')} and ${angles.at(-1)}`
  const errors = errorScale(scaleValues(cells, [meanOfAngles, ...angles.map((angle) => meanAbsoluteOf(angle))]))
  const biases = biasScale(
    scaleValues(
      cells,
      angles.map((angle) => (cell: Cell) => biasOf(cell, angle)),
    ),
  )
  const hasNumbers = cells.length <= numberedCells
  const small = (
    title: string,
    value: (cell: Cell) => Degrees | undefined,
    scale: ColourScale,
    text: (value: Degrees) => string,
  ) =>
    `<figure><h3>${title}</h3>${scrolled(
      drawPoseGrid(gridCells(cells, value, scale, text), bounds, {
        side: wide === '' ? 28 : 30,
        name: `${title} over yaw and pitch: ${rangeText(cells, value, text)}`,
        hasNumbers,
      }),
      title,
    )}</figure>`
  const errorGrids =
    angles.length === 1
      ? ''
      : `<div class="grids${wide}">${angles.map((angle) => small(`Error in ${angle}`, meanAbsoluteOf(angle), errors, tenthOrWhole)).join('')}</div>`
  const biasGrids = `<div class="grids${wide}">${angles.map((angle) => small(`Bias in ${angle}`, (cell) => biasOf(cell, angle), biases, signedTenthOrWhole)).join('')}</div>`
  return `<p>${placedText(aggregates)} Cells are 15° wide; an error is |estimate − label|, averaged over the images of a cell.${excludedText(summary.errors?.excluded ?? summary.partialErrors?.excluded ?? 0)}</p>
<p><strong>${findingText(cells)}</strong></p>
<p class="scale"><span>mean absolute error, °</span>${errors.legend}<span><i class="few"></i> hatched: fewer than ${fewImages} images</span></p>
<div class="plots"><figure class="hero"><h3>Mean absolute error, ${mean}</h3>${scrolled(
    drawPoseGrid(titledCells(cells, errors), bounds, {
      side: heroSide(bounds.columns),
      name: `Mean absolute error over yaw and pitch, ${mean}: ${rangeText(cells, meanOfAngles, tenth)}. ${findingText(cells)}`,
      hasNumbers: true,
    }),
    'Mean absolute error over yaw and pitch',
  )}</figure><figure><h3>Error by |yaw|</h3>${drawYawBands(cells, angles)}</figure></div>
${errorGrids}
<p class="scale"><span>bias, the mean of estimate − label, °</span>${biases.legend}</p>
${biasGrids}
${cellTable(cells, angles)}
${spread}`
}

/** As large as leaves room beside it, and never so small that a number does not fit. */
function heroSide(columns: number): number {
  return Math.max(36, Math.min(52, Math.floor(600 / columns)))
}

function meanAbsoluteOf(angle: AngleName): (cell: Cell) => Degrees | undefined {
  return (cell) => meanAbsolute(cell.errors[angle])
}

/** Of cells with enough images where there are such: they, and not the chance of a few, choose the scale. */
function scaleValues(cells: readonly Cell[], values: readonly ((cell: Cell) => Degrees | undefined)[]): Degrees[] {
  return solid(cells).flatMap((cell) => values.map((value) => value(cell)).filter((value) => value !== undefined))
}

function solid(cells: readonly Cell[]): readonly Cell[] {
  const enough = cells.filter((cell) => measured(cell) >= fewImages)
  return enough.length === 0 ? cells : enough
}

function titledCells(cells: readonly Cell[], scale: ColourScale) {
  return gridCells(cells, meanOfAngles, scale, tenth).map((drawn, i) => {
    const cell = cells[i]
    return cell === undefined
      ? drawn
      : { ...drawn, title: `${cellName(cell)}: ${drawn.text}°, n ${whole(measured(cell))}` }
  })
}

function gridCells(
  cells: readonly Cell[],
  value: (cell: Cell) => Degrees | undefined,
  scale: ColourScale,
  text: (value: Degrees) => string,
) {
  return cells.map((cell) => {
    const shown = value(cell) ?? 0
    const { yaw, pitch } = cell
    return { yaw, pitch, className: scale.className(shown), text: text(shown), isFew: measured(cell) < fewImages }
  })
}

function cellName({ yaw, pitch }: Cell): string {
  return `yaw ${signed(yaw)}° to ${signed(yaw + poseCellSize)}°, pitch ${signed(pitch)}° to ${signed(pitch + poseCellSize)}°`
}

/** Where the error is largest, and smallest. */
function findingText(cells: readonly Cell[]): string {
  const sorted = solid(cells).toSorted((a, b) => (meanOfAngles(a) ?? 0) - (meanOfAngles(b) ?? 0))
  const [best, worst] = [sorted[0], sorted.at(-1)]
  if (best === undefined || worst === undefined) return ''
  const at = (cell: Cell) => `${tenth(meanOfAngles(cell) ?? 0)}° at ${cellName(cell)} (n ${whole(measured(cell))})`
  if (best === worst) return `All of it lies in one cell: ${at(best)}.`
  return `Largest error ${at(worst)}; smallest ${at(best)}.`
}

function rangeText(
  cells: readonly Cell[],
  value: (cell: Cell) => Degrees | undefined,
  text: (value: Degrees) => string,
): string {
  const values = cells.map(value).filter((shown) => shown !== undefined)
  return `${text(Math.min(...values))}° to ${text(Math.max(...values))}° in ${whole(cells.length)} cells`
}

function placedText({ placedBy: { label, estimate, none } }: Aggregates): string {
  const parts = [
    ...(label === 0 ? [] : [`${whole(label)} images are placed by their label`]),
    ...(estimate === 0 ? [] : [`${whole(estimate)} without a label are placed by the estimate and have no error`]),
    ...(none === 0 ? [] : [`${whole(none)} cannot be placed`]),
  ]
  return `${parts.join('; ')}.`
}

function excludedText(excluded: number): string {
  return excluded === 0 ? '' : ` ${whole(excluded)} with a label beyond ±99° have no error and are not in these grids.`
}

function tenthOrWhole(value: Degrees): string {
  return value < 9.95 ? tenth(value) : whole(Math.round(value))
}

function signedTenthOrWhole(value: Degrees): string {
  return Math.abs(value) < 9.95 ? signedTenth(value) : `${value > 0 ? '+' : '−'}${Math.round(Math.abs(value))}`
}

function scrolled(svg: string, name: string): string {
  return svg.includes('class="own fixed"')
    ? `<div class="scroll" tabindex="0" role="group" aria-label="${name}">${svg}</div>`
    : svg
}

function cellTable(cells: readonly Cell[], angles: readonly AngleName[]): string {
  const columns: NumberColumn[] = [
    { name: 'yaw from, °' },
    { name: 'pitch from, °' },
    { name: 'images' },
    ...(angles.length === 1 ? [] : [{ name: 'mean error, °' }]),
    ...angles.map((angle) => ({ name: `error in ${angle}, °` })),
    ...angles.map((angle) => ({ name: `bias in ${angle}, °` })),
  ]
  const rows = cells.map((cell) => [
    signed(cell.yaw),
    signed(cell.pitch),
    whole(measured(cell)),
    ...(angles.length === 1 ? [] : [hundredth(meanOfAngles(cell) ?? 0)]),
    ...angles.map((angle) => hundredth(meanAbsolute(cell.errors[angle]) ?? 0)),
    ...angles.map((angle) => signedHundredth(biasOf(cell, angle) ?? 0).replace('-', '−')),
  ])
  return foldedTable(columns, rows, 'Errors by cell of yaw and pitch, as a table')
}
