import type { z } from 'zod'
import { InputError } from '../../base/errors.ts'
import { withoutPassword } from '../../base/telemetry.ts'
import { readAggregates, type Aggregates } from '../../output/aggregates.ts'
import { readSummary } from '../../output/summary.ts'
import { scaleText } from '../../report/atlas/atlasText.ts'
import { bestTile, countsOf, type AtlasSheets } from '../../report/atlas/drawAtlas.ts'
import { confidenceSection } from '../../report/charts/confidence.ts'
import { drawCumulativeErrors } from '../../report/charts/cumulativeErrors.ts'
import { findings } from '../../report/charts/findings.ts'
import { anglesOf, measured } from '../../report/charts/groupErrors.ts'
import { runsSection } from '../../report/charts/runs.ts'
import { drawYawBands } from '../../report/charts/yawBands.ts'
import type { TrendRun } from '../../report/trend.ts'
import { place } from '../../storage/place.ts'
import { addresses } from '../addresses.ts'
import type { AtlasReply, SetReply } from '../wire.ts'
import type { Route, Served } from './route.ts'
import { runQuery } from './runQuery.ts'
import { listedRuns } from './runs.ts'

/** What a whole result set amounts to. The table is not needed for it, so it is there at once however long that is. */
export const setRoute: Route<z.infer<typeof runQuery>> = {
  path: addresses.pattern.set,
  query: runQuery,
  async answer({ set: id, query: { run: asked } }, served) {
    const [set, { run, stateRun }] = await Promise.all([served.setOf(id), served.runOf(id, asked)])
    const [summary, aggregates, atlas, runs] = await Promise.all([
      unlessDamaged(readSummary(served.output, id, run), served),
      unlessDamaged(readAggregates(served.output, id, run), served),
      unlessDamaged(served.atlases.of(id, run), served),
      listedRuns(served, id),
    ])
    if (run !== stateRun && summary === undefined && aggregates === undefined && (atlas ?? null) === null) {
      throw new InputError(
        'no-such-run',
        `${served.output.uri}${id}/ has no finished run ${run}; its front page lists them`,
      )
    }
    const reply: SetReply = {
      id,
      network: set.network.file,
      dataset: place(withoutPassword(set.dataset.uri)),
      scope: set.options.scope,
      objectives: set.options.objectives,
      run,
      stateRun,
      summary: summary ?? null,
      aggregates: aggregates ?? null,
      atlas: atlas === undefined || atlas === null ? null : atlasReply(id, run, atlas),
      runs,
      charts: chartsOf(aggregates ?? null, runs),
    }
    return { kind: 'json', json: reply }
  },
}

/** As in the report: what is damaged lacks its section, and the others stand. */
async function unlessDamaged<T>(read: Promise<T>, { log }: Served): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== 'bad-layout') throw error
    log.warn({ err: error }, `the set is shown without a file that is damaged: ${error.message}`)
    return undefined
  }
}

function atlasReply(set: string, run: string, { grid, sheets, left }: AtlasSheets): AtlasReply {
  const cells = grid?.cells ?? []
  return {
    cells: cells.map(({ yaw, pitch, column, row }) => ({ yaw, pitch, column, row })),
    columns: grid?.columns ?? 1,
    rows: grid?.rows ?? 0,
    tileSide: bestTile.side,
    tilePitch: bestTile.pitch,
    left,
    pictures: sheets.map((sheet) => {
      const counts = countsOf(sheet.cells)
      return {
        view: sheet.view,
        objective: sheet.objective,
        path: addresses.atlasPicture(set, run, sheet.view, sheet.objective),
        n: sheet.n,
        counts: cells.map(({ cell }) => counts.get(cell) ?? 0),
        scale: scaleText(sheet),
      }
    }),
  }
}

/** The report's own, made of its own texts: the names in them are escaped there. */
function chartsOf(aggregates: Aggregates | null, runs: readonly TrendRun[]): SetReply['charts'] {
  const hasErrors = aggregates !== null && anglesOf(aggregates.all).length > 0
  const charts = [
    { id: 'stands-out', name: 'What stands out', html: findings({ aggregates, runs }) },
    {
      id: 'within',
      name: 'Share of images within an error',
      html: hasErrors ? `<figure class="panel">${drawCumulativeErrors(aggregates.all)}</figure>` : '',
    },
    {
      id: 'bands',
      name: 'Error by |yaw|',
      html: hasErrors
        ? `<figure class="panel">${drawYawBands(measuredCells(aggregates), anglesOf(aggregates.all))}</figure>`
        : '',
    },
    { id: 'confidence', name: 'Confidence', html: confidenceSection({ aggregates }) },
    { id: 'runs', name: 'Nights', html: runsSection({ runs }) },
  ]
  return charts.filter(({ html }) => html !== '')
}

function measuredCells({ cells }: Aggregates): Aggregates['cells'] {
  return cells.filter((cell) => measured(cell) > 0)
}
