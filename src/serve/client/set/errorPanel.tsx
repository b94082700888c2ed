import type { Aggregates } from '../../../output/aggregates.ts'
import { cellName } from '../../../report/cellName.ts'
import { biasScale, errorScale } from '../../../report/charts/colourScale.ts'
import { anglesOf, biasOf, meanAbsolute, meanOfAngles, measured } from '../../../report/charts/groupErrors.ts'
import { fewImages, solid } from '../../../report/fewImages.ts'
import { signedTenth, tenth, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import type { Measure } from '../../measures.ts'
import { everything } from '../../selection.ts'
import { navigate, type Place } from '../navigation.ts'
import { CellTable } from '../parts/cellTable.tsx'
import { HeatGrid } from '../parts/heatGrid.tsx'
import { HeatLegend } from '../parts/heatLegend.tsx'
import { addressWith } from '../placeAddress.ts'

type Cell = Aggregates['cells'][number]

interface ErrorPanelProps {
  readonly place: Place
  readonly set: string
  readonly run: string
  readonly aggregates: Aggregates
}

/** Errors and bias over yaw and pitch; a cell leads to its images, the worst first. */
export function ErrorPanel({ place, set, run, aggregates }: ErrorPanelProps) {
  const angles = anglesOf(aggregates.all)
  const cells = aggregates.cells.filter((cell) => measured(cell) > 0)
  if (cells.length === 0) return null
  const choices: readonly {
    readonly id: string
    readonly name: string
    readonly sort: Measure
    readonly value: (cell: Cell) => number | undefined
  }[] = [
    { id: 'error', name: 'mean absolute error', sort: 'meanError', value: meanOfAngles },
    ...angles.map((angle) => ({
      id: `error-${angle}`,
      name: `error in ${angle}`,
      sort: `absError${capital(angle)}` as const,
      value: (cell: Cell) => meanAbsolute(cell.errors[angle]),
    })),
    ...angles.map((angle) => ({
      id: `bias-${angle}`,
      name: `bias in ${angle}`,
      sort: `absError${capital(angle)}` as const,
      value: (cell: Cell) => biasOf(cell, angle),
    })),
  ]
  const shown = choices.find(({ id }) => id === place.parameters.get('errors')) ?? choices[0]
  if (shown === undefined) return null
  const choose = (id: string) =>
    navigate(addressWith(place, { errors: id === choices[0]?.id ? null : id }), { replace: true })
  const isBias = shown.id.startsWith('bias')
  const values = solid(cells, measured).map((cell) => shown.value(cell) ?? 0)
  const scale = (isBias ? biasScale : errorScale)(values)
  const text = isBias ? signedTenth : tenth
  const link = (cell: Cell) =>
    addresses.browse(set, run, {
      ...everything,
      cells: [{ yaw: cell.yaw, pitch: cell.pitch }],
      sort: shown.sort,
      isDescending: true,
    })
  return (
    <section id="pose-errors" aria-labelledby="pose-errors-name">
      <h2 id="pose-errors-name">Error over pose</h2>
      <div class="controls">
        <label>
          show
          <select value={shown.id} onChange={(event) => choose(event.currentTarget.value)}>
            {choices.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <HeatLegend name={`${shown.name}, °`} scale={scale} />
      <p class="quiet">A cell leads to its images.</p>
      <HeatGrid
        name={`${shown.name} over yaw and pitch`}
        side={46}
        cells={cells.map((cell) => {
          const value = shown.value(cell) ?? 0
          return {
            yaw: cell.yaw,
            pitch: cell.pitch,
            className: `${scale.className(value)}${measured(cell) < fewImages ? ' few' : ''}`,
            link: link(cell),
            label: `${cellName(cell)}: ${shown.name} ${text(value)}°, n ${whole(measured(cell))}`,
            content: text(value),
          }
        })}
      />
      <CellTable
        label={`${shown.name} as a table`}
        columns={[`${shown.name}, °`, 'images']}
        rows={cells.map((cell) => ({
          cell,
          link: link(cell),
          texts: [text(shown.value(cell) ?? 0), whole(measured(cell))],
        }))}
      />
    </section>
  )
}

function capital<Name extends string>(name: Name): Capitalize<Name> {
  return (name.charAt(0).toUpperCase() + name.slice(1)) as Capitalize<Name>
}
