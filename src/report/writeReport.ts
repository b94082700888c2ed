import { InputError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { readAggregates } from '../output/aggregates.ts'
import { currentRun } from '../output/current.ts'
import { layout } from '../output/layout.ts'
import { readAtlas, readInputAtlas } from '../output/poseMaps.ts'
import type { ResultSet } from '../output/resultSet.ts'
import { beyondLabelLimit } from '../output/rowErrors.ts'
import type { Summary } from '../output/summary.ts'
import { readTable } from '../output/table.ts'
import { angleNames } from '../pose/euler.ts'
import { RadianHint } from '../pose/radianHint.ts'
import { descriptionSchema, givesAngles } from '../saliency/networks/description.ts'
import { slicedObject } from '../storage/slicedObject.ts'
import type { Store } from '../storage/store.ts'
import { drawAtlas } from './atlas/drawAtlas.ts'
import { AngleDistribution } from './distribution.ts'
import { FailureExamples } from './failureExamples.ts'
import { fitGallery, galleryBudget } from './fitGallery.ts'
import { gallerySamples } from './gallerySamples.ts'
import { inputAspect } from './inputAspect.ts'
import { KeptPictures } from './keptPictures.ts'
import { renderPage } from './page.ts'
import type { PageContent } from './pageContent.ts'
import { PictureStore } from './pictureStore.ts'
import { reportColumns, Selection, type ReportRow } from './selection.ts'
import { drawingVersion, thumbnailLayout } from './thumbnail.ts'
import { readTrend } from './trend.ts'

/** So many of the worst and so many evenly spaced samples are embedded. */
const shownOfEach = 200
/** Of the page, bytes: it is to stay below 3 MB, and with samples its gallery says a little more than without. */
const pageBudget = 2_990_000
/** With more objectives than this the thumbnails would outgrow the page. */
const shownObjectives = 4

export interface ReportOptions {
  readonly output: Store
  readonly dataset: Store
  readonly set: ResultSet
  readonly summary: Summary
  /** Rejects with its reason; nothing has been written then. */
  readonly signal: AbortSignal
  /** Told how many of the pictures are there. */
  readonly onProgress?: (progress: ReportProgress) => void
  readonly log: Logger
  /** For tests. */
  readonly version?: number
}

export interface ReportProgress {
  readonly drawn: number
  readonly of: number
}

/**
 * Writes `report/index.html` of a result set: one page that needs nothing beside itself. The table streams by once;
 * afterwards only the chosen samples' images and maps are fetched, and of these only what the report before has not drawn
 * of the same objects: what it drew is kept beside the page, which is the same with and without. An image or map that is
 * gone or unreadable becomes a placeholder, and so does every further one of a store that does not answer. Raises what the
 * output store raises when the table is read or the page written.
 */
export async function writeReport(options: ReportOptions): Promise<void> {
  const { output, dataset, set, summary, signal, onProgress, log, version = drawingVersion } = options
  const selection = new Selection({ each: shownOfEach, okTotal: summary.counts.total - summary.counts.failed })
  const failures = new FailureExamples()
  const distributions = { yaw: new AngleDistribution(), pitch: new AngleDistribution(), roll: new AngleDistribution() }
  const radians = new RadianHint()
  let unusable = 0
  let firstUnusable: { key: string; message: string } | undefined
  for await (const row of tableRows(output, set, summary)) {
    selection.add(row)
    failures.add(row)
    const { key, status, message, labelYaw: yaw, labelPitch: pitch, labelRoll: roll } = row
    if (status === 'ok' && message !== null) {
      unusable++
      firstUnusable ??= { key, message }
    }
    if (yaw !== null && pitch !== null && roll !== null) radians.add({ yaw, pitch, roll })
    addAngles(distributions, row)
  }

  const objectives = set.options.objectives.slice(0, shownObjectives)
  const description = descriptionSchema.safeParse(set.network.description).data
  const drawn = thumbnailLayout(objectives.length, inputAspect(description))
  const chosen = selection.finish()
  const kept = await KeptPictures.open({ output, set: set.id, version, log })
  onProgress?.({ drawn: 0, of: chosen.length })
  const gallery = await gallerySamples(chosen, {
    set,
    objectives,
    images: new PictureStore(dataset, signal, log),
    maps: new PictureStore(output, signal, log),
    layout: drawn,
    kept,
    onDone: (done) => onProgress?.({ drawn: done, of: chosen.length }),
  })
  const content = {
    set,
    summary,
    failures: failures.finish(),
    unusableLabels: firstUnusable === undefined ? null : { count: unusable, example: firstUnusable },
    // The other layouts' files hold radians or rotations, which headlight itself turns into degrees.
    radianHint: ['csv', 'filename'].includes(set.options.adapter.name) ? (radians.hint() ?? null) : null,
    hasAngles: description === undefined || givesAngles(description),
    distributions,
    ...(await stateFacts(output, set, summary, log)),
    runs: await readTrend(output, set.id),
    samples: [],
    samplesLeftOut: 0,
    objectives,
    layout: drawn,
  }
  const rest = Buffer.byteLength(renderPage(content))
  const { samples, leftOut } = await fitGallery(gallery.samples, Math.min(galleryBudget, pageBudget - rest), kept)
  const page = renderPage({ ...content, samples, samplesLeftOut: leftOut })
  signal.throwIfAborted()
  // Before the page: whoever is stopped in between and begins anew has them.
  await kept.save()
  await output.put(layout.report(set.id), page, { contentType: 'text/html; charset=utf-8' })
  log.debug({ samples: samples.length, drawn: gallery.drawn, bytes: Buffer.byteLength(page) }, 'wrote the report')
}

const columns = [...reportColumns, 'class', 'topClass', 'topClassProbability'] as const

async function* tableRows(output: Store, set: ResultSet, summary: Summary): AsyncGenerator<ReportRow> {
  // A run that changed nothing wrote no table of its own; the result set's table is the state then.
  const table =
    (await slicedObject(output, layout.runTable(set.id, summary.run))) ??
    (await slicedObject(output, layout.table(set.id)))
  if (table !== undefined) yield* readTable(table, columns)
}

/** What the run that made the state has put beside its table. */
async function stateFacts(
  output: Store,
  set: ResultSet,
  { run }: Summary,
  log: Logger,
): Promise<Pick<PageContent, 'aggregates' | 'atlas'>> {
  // As with the table: a run that changed nothing has none of these.
  const hasTable = (await output.head(layout.runTable(set.id, run))) !== undefined
  const state = hasTable ? run : await currentRun(output, set.id)
  if (state === null) return { aggregates: null, atlas: null }
  const [aggregates, atlas, inputs] = await Promise.all([
    unlessDamaged(readAggregates(output, set.id, state), log),
    unlessDamaged(readAtlas(output, set.id, state), log),
    unlessDamaged(readInputAtlas(output, set.id, state), log),
  ])
  return { aggregates: aggregates ?? null, atlas: atlas === undefined ? null : await drawAtlas(atlas, inputs ?? null) }
}

/** What is damaged lacks its section; a run must not stay open for it. */
async function unlessDamaged<T>(read: Promise<T | undefined>, log: Logger): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== 'bad-layout') throw error
    log.warn({ err: error }, `the report does without a file that is damaged: ${error.message}`)
    return undefined
  }
}

function addAngles(distributions: Readonly<Record<'yaw' | 'pitch' | 'roll', AngleDistribution>>, row: ReportRow): void {
  if (row.status !== 'ok' || beyondLabelLimit(row)) return
  const cells = {
    yaw: [row.yaw, row.labelYaw, row.errorYaw],
    pitch: [row.pitch, row.labelPitch, row.errorPitch],
    roll: [row.roll, row.labelRoll, row.errorRoll],
  } as const
  for (const angle of angleNames) {
    const [estimate, label, error] = cells[angle]
    if (estimate === null) continue
    if (label === null || error === null) distributions[angle].addUnlabelled(estimate)
    else distributions[angle].addLabelled(estimate, label, error)
  }
}
