import { cellName } from '../../../report/cellName.ts'
import { fewImages } from '../../../report/fewImages.ts'
import { compact, whole } from '../../../report/numberText.ts'
import { addresses } from '../../addresses.ts'
import { everything } from '../../selection.ts'
import { wantedObjective } from '../../wantedObjective.ts'
import type { AtlasReply } from '../../wire.ts'
import { href, navigate, type Place } from '../navigation.ts'
import { Asking } from '../parts/asking.tsx'
import { CellTable } from '../parts/cellTable.tsx'
import { HeatGrid } from '../parts/heatGrid.tsx'
import { usePictureAgain } from '../parts/usePictureAgain.ts'
import { addressWith } from '../placeAddress.ts'

type Cell = AtlasReply['cells'][number]
const viewNames = { mean: 'mean map', difference: 'difference from the overall mean', input: 'mean input' } as const

interface AtlasPanelProps {
  readonly place: Place
  readonly set: string
  readonly run: string
  readonly atlas: AtlasReply
}

/** The mean map of each cell over yaw and pitch; a cell leads to its images. */
export function AtlasPanel({ place, set, run, atlas }: AtlasPanelProps) {
  const objectives = [...new Set(atlas.pictures.flatMap(({ objective }) => objective ?? []))]
  const objective = wantedObjective(objectives, place.parameters.get('objective')) ?? ''
  const views = (['mean', 'difference', 'input'] as const).filter((each) => atlas.pictures.some((p) => p.view === each))
  const view = views.find((each) => each === place.parameters.get('atlas')) ?? 'mean'
  const choose = (name: 'objective' | 'atlas', value: string, usual: string | undefined) =>
    navigate(addressWith(place, { [name]: value === usual ? null : value }), { replace: true })
  const shown = atlas.pictures.find((each) => each.view === view && (each.objective ?? objective) === objective)
  const { broken, onError } = usePictureAgain(shown?.path ?? '')
  if (shown === undefined) return null
  const { low, high, unit } = shown.scale
  const title = view === 'input' ? viewNames.input : `${viewNames[view]}, objective ${objective}`
  const link = ({ yaw, pitch }: Cell) =>
    addresses.browse(
      set,
      run,
      { ...everything, cells: [{ yaw, pitch }], sort: 'meanError', isDescending: true },
      { objective: objective === objectives[0] ? null : objective },
    )
  const tile = (column: number, row: number) => (
    <svg
      class="tile"
      viewBox={`${column * atlas.tilePitch + 0.5} ${row * atlas.tilePitch + 0.5} ${atlas.tileSide - 1} ${atlas.tileSide - 1}`}
      aria-hidden="true"
    >
      {broken === null && (
        <image
          href={href(shown.path)}
          width={atlas.columns * atlas.tilePitch}
          height={(atlas.rows + 1) * atlas.tilePitch}
          preserveAspectRatio="none"
          onError={onError}
        />
      )}
    </svg>
  )
  return (
    <section id="atlas" aria-labelledby="atlas-name">
      <h2 id="atlas-name">Atlas over pose</h2>
      <p>What the network reacts to, on average, at each pose. A cell leads to its images.</p>
      <div class="controls">
        {objectives.length > 1 && view !== 'input' && (
          <label>
            objective
            <select
              value={objective}
              onChange={(event) => choose('objective', event.currentTarget.value, objectives[0])}
            >
              {objectives.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
        )}
        <label>
          show
          <select value={view} onChange={(event) => choose('atlas', event.currentTarget.value, 'mean')}>
            {views.map((each) => (
              <option key={each} value={each}>
                {viewNames[each]}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="under">
        {title}: {low} to {high} {unit}; {whole(shown.n)} images; hatched: fewer than {fewImages}; numbers count images
        {atlas.left > 0 ? `; ${whole(atlas.left)} more objectives are in the files` : ''}
      </p>
      {broken !== null && <Asking asked={broken} />}
      {atlas.cells.length === 0 ? (
        <div class="single">{tile(0, 0)}</div>
      ) : (
        <>
          <HeatGrid
            name={`${title}, over yaw and pitch`}
            side={60}
            cells={atlas.cells.map((cell, at) => {
              const n = shown.counts[at] ?? 0
              return {
                yaw: cell.yaw,
                pitch: cell.pitch,
                className: n < fewImages ? 'atlas-cell few-images' : 'atlas-cell',
                link: link(cell),
                label: `${cellName(cell)}: ${title} of ${whole(n)} images`,
                content: (
                  <>
                    {tile(cell.column, cell.row)}
                    <span class="n">{compact(n)}</span>
                  </>
                ),
              }
            })}
          />
          <CellTable
            label={`${title}, images by cell`}
            columns={['images']}
            rows={atlas.cells.map((cell, at) => ({ cell, link: link(cell), texts: [whole(shown.counts[at] ?? 0)] }))}
          />
        </>
      )}
    </section>
  )
}
