import { angleNames, type Degrees } from '../../../pose/euler.ts'
import { poseCellSize } from '../../../pose/poseCell.ts'
import { cellName } from '../../cellName.ts'
import { biasScale, errorScale, type ColourScale } from '../../charts/colourScale.ts'
import { numberTable } from '../../charts/numberTable.ts'
import { drawPoseGrid, GridBounds } from '../../charts/poseGrid.ts'
import { scrolledChart } from '../../charts/scrolledChart.ts'
import { fewImages, solid } from '../../fewImages.ts'
import { hundredth, signedTenth, tenth, trueSignedHundredth, whole } from '../../numberText.ts'
import type { Comparison } from '../comparison.ts'
import { drawBands } from './bandPlot.ts'

type Cell = Comparison['cells'][number]
type Band = Comparison['bands'][number]

/** Where over yaw and pitch the errors, or without labels the estimates, differ; nothing where no estimate does. */
export function poseSection(comparison: Comparison): string {
  if (!differsOverPose(comparison)) return ''
  const { shown, isLabelled } = shownCells(comparison)
  const value = isLabelled ? deltaOf : apartOf
  const scale = isLabelled ? biasScale(solid(shown, sizeOf).map(value)) : errorScale(solid(shown, sizeOf).map(value))
  const name = isLabelled ? 'B − A of the mean error' : 'mean |B − A| of the estimates'
  const bounds = new GridBounds(shown)
  const grid = drawPoseGrid(gridCells(shown, value, scale, isLabelled ? signedTenth : tenth), bounds, {
    side: 40,
    name: `${name} over yaw and pitch. ${cellFinding(shown, value)}`,
  })
  return `${poseText(comparison)}
<p class="scale"><span>${name}, °</span>${scale.legend}<span><i class="few"></i> hatched: fewer than ${fewImages} images</span></p>
<div class="plots"><figure class="hero"><h3>${isLabelled ? 'Difference of the mean error, B − A' : 'How far the estimates lie apart'}</h3>${scrolled(grid)}</figure>${bandsFigure(comparison)}</div>
${isLabelled ? angleGrids(shown, bounds, scale) : ''}`
}

/** Whether there is anything to show over pose. */
export function differsOverPose({ cells, all }: Comparison): boolean {
  return cells.length > 0 && (all.disagreement ?? 0) > 0
}

/** What placed the images, and where the difference is largest. */
export function poseText(comparison: Comparison): string {
  return `<p>${placedText(comparison)} Cells are ${poseCellSize}° wide.</p>
<p><strong>${findingText(comparison)}</strong></p>`
}

/** By |yaw|, as a chart and a table. */
export function bandsFigure(comparison: Comparison): string {
  const { isLabelled } = shownCells(comparison)
  const bands = comparison.bands.filter(({ errors }) => !isLabelled || errors !== null)
  const chart = isLabelled ? drawBands(bands) : ''
  return `<figure><h3>${isLabelled ? 'Error' : 'Estimates'} by |yaw|</h3>${chart}${bandTable(bands, isLabelled)}</figure>`
}

/** Those with a label, where there are any. */
function shownCells({ cells }: Comparison): { readonly shown: readonly Cell[]; readonly isLabelled: boolean } {
  const labelled = cells.filter(({ errors }) => errors !== null)
  return labelled.length > 0 ? { shown: labelled, isLabelled: true } : { shown: cells, isLabelled: false }
}

/** One small grid for each angle in which anything differs, where there are several: their mean hides which it is. */
function angleGrids(cells: readonly Cell[], bounds: GridBounds, scale: ColourScale): string {
  const angles = angleNames.filter((angle) => cells.some(({ errors }) => errors?.[angle] !== undefined))
  if (angles.length < 2) return ''
  const grids = angles.flatMap((angle) => {
    const value = ({ errors }: Pick<Cell, 'errors'>): Degrees => errors?.[angle]?.delta ?? 0
    if (cells.every((cell) => value(cell) === 0)) return []
    const title = `B − A of the error in ${angle}`
    const drawn = drawPoseGrid(gridCells(cells, value, scale, signedTenth), bounds, {
      side: 28,
      name: `${title} over yaw and pitch. ${cellFinding(cells, value)}`,
    })
    return [`<figure><h3>${title}</h3>${scrolled(drawn)}</figure>`]
  })
  return `<div class="grids${bounds.columns > 13 ? ' wide' : ''}">${grids.join('')}</div>`
}

const deltaOf = ({ errors }: Pick<Cell, 'errors'>): Degrees => errors?.mean.delta ?? 0
const apartOf = ({ disagreement }: Pick<Cell, 'disagreement'>): Degrees => disagreement ?? 0

const sizeOf = ({ n, errors }: Cell): number => errors?.n ?? n

function gridCells(
  cells: readonly Cell[],
  value: (cell: Cell) => Degrees,
  scale: ColourScale,
  text: (value: Degrees) => string,
) {
  return cells.map((cell) => {
    const { yaw, pitch, errors } = cell
    const sides = errors === null ? '' : `, A ${hundredth(errors.mean.a)}°, B ${hundredth(errors.mean.b)}°`
    return {
      yaw,
      pitch,
      className: scale.className(value(cell)),
      text: text(value(cell)),
      title: `${cellName(cell)}: ${text(value(cell))}°${sides}, n ${whole(sizeOf(cell))}`,
      isFew: sizeOf(cell) < fewImages,
    }
  })
}

/** By bands, of which there are few: a cell of a few images changes by chance. */
function findingText({ bands }: Comparison): string {
  const enough = bands.filter(({ errors, n }) => (errors?.n ?? n) >= fewImages)
  const size = (band: Band) => (band.errors === null ? apartOf(band) : deltaOf(band))
  const sorted = enough.toSorted((a, b) => size(a) - size(b))
  const [least, most] = [sorted[0], sorted.at(-1)]
  if (least === undefined || most === undefined) return `No band of |yaw| holds ${fewImages} images.`
  const at = (band: Band) => `|yaw| ${band.from}° to ${band.to}° (n ${whole(band.errors?.n ?? band.n)})`
  if (most.errors === null) return `Furthest apart, ${tenth(size(most))}°, at ${at(most)}.`
  const rise =
    size(most) > 0
      ? `Largest rise ${trueSignedHundredth(size(most))}° at ${at(most)}`
      : 'The error rises in no band of |yaw|'
  const fall =
    size(least) < 0 ? `largest fall ${trueSignedHundredth(size(least))}° at ${at(least)}` : 'it falls in none'
  return `${rise}; ${fall}.`
}

function cellFinding(cells: readonly Cell[], value: (cell: Cell) => Degrees): string {
  const sorted = solid(cells, sizeOf).toSorted((a, b) => value(a) - value(b))
  const [least, most] = [sorted[0], sorted.at(-1)]
  if (least === undefined || most === undefined) return ''
  return `From ${signedTenth(value(least))}° at ${cellName(least)} to ${signedTenth(value(most))}° at ${cellName(most)}`
}

function placedText({ placedBy: { label, estimate, none } }: Comparison): string {
  const parts = [
    ...(label === 0 ? [] : [`${whole(label)} images are placed by their label`]),
    ...(estimate === 0 ? [] : [`${whole(estimate)} by the estimate of A, without a label`]),
    ...(none === 0 ? [] : [`${whole(none)} cannot be placed`]),
  ]
  return `${parts.join('; ')}.`
}

function bandTable(bands: Comparison['bands'], isLabelled: boolean): string {
  const angles = angleNames.filter((angle) => bands.some(({ errors }) => errors?.[angle] !== undefined))
  const names = isLabelled
    ? ['|yaw|, °', 'images', 'A, °', 'B, °', 'B − A, °', ...angles.map((angle) => `B − A, ${angle}`)]
    : ['|yaw|, °', 'images', '|B − A|, °']
  const rows = bands.map(({ from, to, n, errors, disagreement }) => [
    `${from} to ${to}`,
    ...(errors === null
      ? [whole(n), hundredth(disagreement ?? 0)]
      : [
          whole(errors.n),
          hundredth(errors.mean.a),
          hundredth(errors.mean.b),
          `<strong>${trueSignedHundredth(errors.mean.delta)}</strong>`,
          ...angles.map((angle) => trueSignedHundredth(errors[angle]?.delta ?? 0)),
        ]),
  ])
  return numberTable(
    names.map((name) => ({ name })),
    rows,
    { name: 'Errors by |yaw|' },
  )
}

function scrolled(svg: string): string {
  return svg.includes('class="own fixed"') ? scrolledChart(svg, 'Grid over yaw and pitch') : svg
}
