import type { Aggregates } from '../../output/aggregates.ts'
import type { AngleName, Degrees } from '../../pose/euler.ts'
import { cellName } from '../cellName.ts'
import { fewImages, solid } from '../fewImages.ts'
import { signedTenth, tenth, whole } from '../numberText.ts'
import { biasScale, errorScale, type ColourScale } from './colourScale.ts'
import { biasOf, meanAbsolute, meanOfAngles, measured } from './groupErrors.ts'
import { drawPoseGrid, GridBounds, type GridCell } from './poseGrid.ts'

/** The rows of one cell of the grid. */
export type PoseGroup = Aggregates['cells'][number]

type Value = (cell: PoseGroup) => Degrees | undefined

/** From −90° to 90°. More columns, of at most 14, need half the page's width in place of a third. */
const narrowColumns = 12

/** One measure over the grid. */
interface Measure {
  readonly title: string
  readonly value: Value
  readonly scale: ColourScale
  readonly text: (value: Degrees) => string
}

/** A large grid of the mean error, one of each angle's, and one of each angle's bias, with their legends. */
export function poseErrorGrids(
  cells: readonly PoseGroup[],
  angles: readonly AngleName[],
  { finding, beside }: { readonly finding: string; /** Of the large grid, HTML. */ readonly beside: string },
): string {
  const bounds = new GridBounds(cells)
  const ofAngle =
    (angle: AngleName): Value =>
    (cell) =>
      meanAbsolute(cell.errors[angle])
  const biasOfAngle =
    (angle: AngleName): Value =>
    (cell) =>
      biasOf(cell, angle)
  // One scale for all: the angles are to be held against each other.
  const errors = errorScale(scaleValues(cells, [meanOfAngles, ...angles.map(ofAngle)]))
  const biases = biasScale(scaleValues(cells, angles.map(biasOfAngle)))
  const title = `Mean absolute error, ${angles.length === 1 ? angles.join('') : `mean of ${angles.slice(0, -1).join(', ')} and ${angles.at(-1)}`}`
  const mean: Measure = { title, value: meanOfAngles, scale: errors, text: tenth }
  const byAngle = angles.map((angle): Measure => ({
    title: `Error in ${angle}`,
    value: ofAngle(angle),
    scale: errors,
    text: tenthOrWhole,
  }))
  const biasByAngle = angles.map((angle): Measure => ({
    title: `Bias in ${angle}`,
    value: biasOfAngle(angle),
    scale: biases,
    text: signedTenthOrWhole,
  }))
  const small = (measures: readonly Measure[]) =>
    `<div class="grids${bounds.columns > narrowColumns ? ' wide' : ''}">${measures.map((measure) => `<figure><h3>${measure.title}</h3>${drawPoseGrid(gridCells(cells, measure), bounds, { side: bounds.columns > narrowColumns ? 34 : 28, name: gridName(cells, measure) })}</figure>`).join('')}</div>`
  return `<p class="scale"><span>mean absolute error, °</span>${errors.legend}<span><i class="few"></i> hatched: fewer than ${fewImages} images</span></p>
<div class="plots"><figure><h3>${title}</h3>${drawPoseGrid(titled(cells, mean), bounds, { side: heroSide(bounds.columns), name: `${gridName(cells, mean)}. ${finding}` })}</figure>${beside}</div>
${angles.length === 1 ? '' : small(byAngle)}
<p class="scale"><span>bias, the mean of estimate − label, °</span>${biases.legend}</p>
${small(biasByAngle)}`
}

function scaleValues(cells: readonly PoseGroup[], values: readonly Value[]): Degrees[] {
  return solid(cells, measured).flatMap((cell) =>
    values.map((value) => value(cell)).filter((value) => value !== undefined),
  )
}

/** As large as leaves room beside it. */
function heroSide(columns: number): number {
  return Math.min(52, Math.floor(600 / columns))
}

function gridCells(cells: readonly PoseGroup[], { value, scale, text }: Measure): GridCell[] {
  return cells.map((cell) => {
    const { yaw, pitch } = cell
    const shown = value(cell) ?? 0
    return { yaw, pitch, className: scale.className(shown), text: text(shown), isFew: measured(cell) < fewImages }
  })
}

function titled(cells: readonly PoseGroup[], measure: Measure): GridCell[] {
  return cells.flatMap((cell) =>
    gridCells([cell], measure).map((drawn) => ({ ...drawn, title: `${cellName(cell)}, n ${whole(measured(cell))}` })),
  )
}

function gridName(cells: readonly PoseGroup[], { title, value, text }: Measure): string {
  const values = cells.map((cell) => value(cell) ?? 0)
  return `${title}, over yaw and pitch: ${text(Math.min(...values))}° to ${text(Math.max(...values))}° in ${whole(cells.length)} cells`
}

function tenthOrWhole(value: Degrees): string {
  return value < 9.95 ? tenth(value) : whole(Math.round(value))
}

function signedTenthOrWhole(value: Degrees): string {
  return Math.abs(value) < 9.95 ? signedTenth(value) : `${value > 0 ? '+' : '−'}${Math.round(Math.abs(value))}`
}
