import { angleNames } from '../../../pose/euler.ts'
import { cellName } from '../../../report/cellName.ts'
import { biasScale, errorScale } from '../../../report/charts/colourScale.ts'
import { fewImages, solid } from '../../../report/fewImages.ts'
import { hundredth, signedTenth, tenth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { everything } from '../../selection.ts'
import type { ComparedSide, CompareReply } from '../../wire.ts'
import { navigate, type Place } from '../navigation.ts'
import { CellTable } from '../parts/cellTable.tsx'
import { HeatGrid } from '../parts/heatGrid.tsx'
import { HeatLegend } from '../parts/heatLegend.tsx'
import { addressWith } from '../placeAddress.ts'

type Cell = NonNullable<CompareReply['pose']>['cells'][number]
type Shown = 'mean' | (typeof angleNames)[number]

interface DifferencePanelProps {
  readonly place: Place
  readonly b: ComparedSide
  readonly cells: readonly Cell[]
}

/** Where over yaw and pitch errors, or without labels estimates, differ; a cell leads to its images in B, the worst first. */
export function DifferencePanel({ place, b, cells: all }: DifferencePanelProps) {
  const labelled = all.filter(({ errors }) => errors !== null)
  const isLabelled = labelled.length > 0
  const cells = isLabelled ? labelled : all
  const choices: readonly Shown[] = [
    'mean',
    ...angleNames.filter((angle) => cells.some(({ errors }) => errors?.[angle])),
  ]
  const choice = choices.find((each) => each === place.parameters.get('errors')) ?? 'mean'
  const choose = (chosen: string) =>
    navigate(addressWith(place, { errors: chosen === 'mean' ? null : chosen }), { replace: true })
  const value = ({ errors, disagreement }: Cell): number =>
    isLabelled ? (errors?.[choice]?.delta ?? 0) : (disagreement ?? 0)
  const sizeOf = ({ n, errors }: Cell): number => errors?.n ?? n
  const values = solid(cells, sizeOf).map(value)
  const scale = isLabelled ? biasScale(values) : errorScale(values)
  const text = isLabelled ? signedTenth : tenth
  const name = !isLabelled
    ? 'mean |B − A| of the estimates'
    : choice === 'mean'
      ? 'B − A of the mean error'
      : `B − A of the error in ${choice}`
  const sides = ({ errors }: Cell): string => {
    const found = errors?.[choice]
    return found === undefined ? '' : `, A ${hundredth(found.a)}°, B ${hundredth(found.b)}°`
  }
  return (
    <>
      {isLabelled && choices.length > 2 && (
        <div class="controls">
          <label>
            show
            <select value={choice} onChange={(event) => choose(event.currentTarget.value)}>
              {choices.map((each) => (
                <option key={each} value={each}>
                  {each === 'mean' ? 'mean over the angles' : each}
                </option>
              ))}
            </select>
          </label>
        </div>
      )}
      <HeatLegend name={`${name}, °`} scale={scale} />
      <p class="quiet">A cell leads to its images in B.</p>
      <HeatGrid
        name={`${name} over yaw and pitch`}
        side={46}
        cells={cells.map((cell) => ({
          yaw: cell.yaw,
          pitch: cell.pitch,
          className: `${scale.className(value(cell))}${sizeOf(cell) < fewImages ? ' few' : ''}`,
          link: addresses.browse(b.set, b.run, {
            ...everything,
            cells: [{ yaw: cell.yaw, pitch: cell.pitch }],
            sort: isLabelled ? 'meanError' : 'key',
            isDescending: isLabelled,
          }),
          label: `${cellName(cell)}: ${text(value(cell))}°${sides(cell)}, n ${whole(sizeOf(cell))}`,
          content: text(value(cell)),
        }))}
      />
      <CellTable
        label={`${name} as a table`}
        columns={[`${name}, °`, 'images']}
        rows={cells.map((cell) => ({ cell, texts: [text(value(cell)), whole(sizeOf(cell))] }))}
      />
    </>
  )
}
