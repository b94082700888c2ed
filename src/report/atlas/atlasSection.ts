import type { Aggregates, Group } from '../../output/aggregates.ts'
import { angleNames, type AngleName, type Degrees } from '../../pose/euler.ts'
import { cellName } from '../cellName.ts'
import { escapeHtml } from '../escaping.ts'
import { fewImages } from '../fewImages.ts'
import { compact, signedTenth, tenth, whole } from '../numberText.ts'
import type { PageContent } from '../pageContent.ts'
import { atlasFigure, atlasTile, imagesText } from './atlasFigure.ts'
import type { AtlasGrid } from './atlasGrid.ts'
import { scaleText, viewTitle } from './atlasText.ts'
import { dataUri, type AtlasPicture } from './drawAtlas.ts'

/** Of a page: its aggregates, where there are any, give the cells their errors. */
type AtlasContent = Pick<PageContent, 'atlas' | 'aggregates' | 'set' | 'hasAngles'>

interface CellError {
  readonly angle: AngleName
  /** Mean of |error|, and of the error with its sign. */
  readonly mean: Degrees
  readonly bias: Degrees
}

/** Of the section. */
export function atlasName({ atlas }: AtlasContent): string {
  return atlas?.grid === null ? 'Mean maps' : 'Atlas over pose'
}

/** Mean maps by cell of yaw and pitch, or over all images where no pose places them. Empty without an atlas. */
export function atlasSection(content: AtlasContent): string {
  if (content.atlas === null) return ''
  const { grid, pictures, left } = content.atlas
  const more =
    left === 0
      ? ''
      : ` ${left === 1 ? '1 more objective is' : `${whole(left)} more objectives are`} in <code>atlas.bin</code> and not shown here.`
  const inputs = pictures.some(({ view }) => view === 'input')
  if (grid === null) return `${meansAlone(pictures, more)}${cautions(content, inputs)}`
  return `<p>Each tile is the mean of the magnitude maps (28 × 28) of all images whose pose lies in a cell of 15° of yaw × 15° of pitch${placedText(content.aggregates)}. Yaw rises to the right, as in every chart here; a positive one turns the nose to the image’s left.${more}</p>
${cautions(content, inputs)}
<div class="atlas" id="atlas-figure">
${controls(pictures)}
<div class="atlas-body">
<div class="scroll">${atlasFigure(grid, pictures, cellLabels(content, grid))}</div>
<div class="atlas-side">
<figure>${atlasTile('atlas-overall', 0, [0, grid.rows], viewTitle(pictures[0] ?? { view: 'mean', objective: null }))}<figcaption id="atlas-overall-name">all ${imagesText(pictures[0]?.n ?? 0)}</figcaption></figure>
<figure id="atlas-one" hidden>${atlasTile('atlas-large', 0, [0, 0], 'the tile in focus')}<figcaption><span id="atlas-cell"></span><span id="atlas-numbers"></span></figcaption></figure>
</div>
</div>
</div>`
}

/** For the page's script; undefined where there is no grid to look through. */
export function atlasData(content: AtlasContent): unknown {
  const { atlas, aggregates } = content
  const grid = atlas?.grid
  if (atlas === null || !grid) return undefined
  const rounded = (value: Degrees) => Math.round(value * 100) / 100
  const cells = grid.cells.map((cell) => ({
    name: cellName(cell),
    at: [cell.column, cell.row],
    errors: cellErrors(aggregates, cell).map(({ angle, mean, bias }) => [angle, rounded(mean), rounded(bias)]),
  }))
  const countsOf = (picture: AtlasPicture | undefined) =>
    picture === undefined ? [] : grid.cells.map(({ cell }) => picture.counts.get(cell) ?? 0)
  const pictures = atlas.pictures.map((picture) => ({
    view: picture.view,
    objective: picture.objective,
    title: viewTitle(picture),
    n: picture.n,
    ...scaleText(picture),
  }))
  // All objectives have the same images.
  const maps = countsOf(atlas.pictures[0])
  const inputs = countsOf(atlas.pictures.find(({ view }) => view === 'input'))
  const countTexts = { maps: maps.map(compact), inputs: inputs.map(compact) }
  return { cells, pictures, counts: { maps, inputs }, countTexts, rows: grid.rows, few: fewImages }
}

function cellLabels(content: AtlasContent, grid: AtlasGrid): string[] {
  const counts = content.atlas?.pictures[0]?.counts
  return grid.cells.map((cell) => {
    const errors = cellErrors(content.aggregates, cell).map(
      ({ angle, mean, bias }) => `${angle} mean error ${tenth(mean)}°, bias ${signedTenth(bias)}°`,
    )
    return [cellName(cell), imagesText(counts?.get(cell.cell) ?? 0), ...errors].join(', ')
  })
}

function cellErrors(aggregates: Aggregates | null, { yaw, pitch }: { yaw: Degrees; pitch: Degrees }): CellError[] {
  const group: Group | undefined = aggregates?.cells.find((cell) => cell.yaw === yaw && cell.pitch === pitch)
  return angleNames.flatMap((angle) => {
    const errors = group?.errors[angle]
    if (errors === undefined || errors.n === 0) return []
    return [{ angle, mean: errors.absoluteSum / errors.n, bias: errors.signedSum / errors.n }]
  })
}

function placedText(aggregates: Aggregates | null): string {
  if (aggregates === null) return ', by its label or else by its estimate'
  const { label, estimate, none } = aggregates.placedBy
  const by =
    estimate === 0
      ? ', by its label'
      : label === 0
        ? ', by its estimate'
        : `: by its label (${whole(label)}), or by its estimate where it has none (${whole(estimate)})`
  return none === 0 ? by : `${by}; ${whole(none)} that neither places are in the overall mean alone`
}

/** Where a reader looks before believing what is to be seen. */
function cautions({ atlas, set, hasAngles }: AtlasContent, hasInputs: boolean): string {
  const placed = atlas?.grid !== null
  const [shown, often] = hasAngles ? ['heads', 'heads often are'] : ['images', 'what they show often is']
  const registered = `The maps lie in the coordinates of the crop, and ${shown} are not registered to one another: where crops are loose${placed ? ', or move with the pose' : ''}, a bright place is where ${often}.`
  const share = `Every map sums to 1 before it is averaged, so ${placed ? 'tiles compare places within the crop' : 'a mean map tells places within the crop'}, never the strength of the reaction.`
  const blink = hasInputs
    ? placed
      ? 'Blink between map and mean input: what follows the outlines of the picture says little about the network.'
      : 'Compare with the mean input: what follows its outlines says little about the network.'
    : ''
  const edges =
    set.options.scope === 'none'
      ? ''
      : 'Guided maps resemble the edges of their images, whatever the network has learned.'
  return `<div class="note"><p>${[registered, share, edges, blink].filter((text) => text !== '').join(' ')}</p></div>`
}

function controls(pictures: readonly AtlasPicture[]): string {
  const objectives = pictures.filter(({ view }) => view === 'mean').map(({ objective }) => objective ?? '')
  const hasInputs = pictures.some(({ view }) => view === 'input')
  const views = [
    ['mean', 'mean map'],
    ['difference', 'difference from the overall mean'],
    ...(hasInputs ? [['input', 'mean input'] as const] : []),
  ] as const
  const radios = (name: string, legend: string, choices: readonly (readonly [string, string])[]) =>
    `<fieldset class="choice"><legend>${legend}</legend>${choices.map(([value, text], at) => `<label><input type="radio" name="${name}" value="${value}"${at === 0 ? ' checked' : ''}><span>${text}</span></label>`).join('')}</fieldset>`
  const objective =
    objectives.length < 2
      ? ''
      : radios(
          'atlas-objective',
          'objective',
          objectives.map((name, at) => [String(at), escapeHtml(name)]),
        )
  const blink = hasInputs
    ? `<button type="button" id="atlas-blink" aria-pressed="false" aria-keyshortcuts="b">Blink map and input (b)</button>`
    : ''
  return `<div class="controls" id="atlas-controls" hidden>${objective}${radios('atlas-view', 'show', views)}${blink}<button type="button" id="atlas-save">Save as PNG</button></div>`
}

/** Of a network that gives no pose: one mean map per objective, and the mean input beside them. */
function meansAlone(pictures: readonly AtlasPicture[], more: string): string {
  const figures = pictures.map((picture) => {
    const { low, high, unit } = scaleText(picture)
    const title = escapeHtml(viewTitle(picture))
    return `<figure><svg class="atlas-tile" viewBox="0.5 0.5 59 59" role="img" aria-label="${title}"><image width="64" height="64" href="${dataUri(picture)}"/></svg><figcaption>${title}: ${imagesText(picture.n)}; ${low} to ${high} ${unit}</figcaption></figure>`
  })
  return `<p>Neither labels nor estimates place these images by yaw and pitch, so there is the mean of the magnitude maps (28 × 28) over all of them.${more}</p><div class="atlas-side row">${figures.join('')}</div>`
}
