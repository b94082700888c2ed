import { InputError } from '../base/errors.ts'
import type { Logger } from '../base/telemetry.ts'
import { imageKeyOf, type Adapter } from '../dataset/adapter.ts'
import { openAdapter } from '../dataset/adapters.ts'
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
import { fitGallery, galleryBudget, type DrawnSample } from './fitGallery.ts'
import { inputAspect } from './inputAspect.ts'
import { mapBounded } from './mapBounded.ts'
import { renderPage } from './page.ts'
import type { GallerySample, PageContent } from './pageContent.ts'
import { PictureStore } from './pictureStore.ts'
import { reportColumns, Selection, type ChosenSample, type ReportRow } from './selection.ts'
import { drawThumbnail, thumbnailLayout, type ThumbnailLayout } from './thumbnail.ts'
import { readTrend } from './trend.ts'

/** So many of the worst and so many evenly spaced samples are embedded. */
const shownOfEach = 200
/** Of the page, bytes: it is to stay below 3 MB, and with samples its gallery says a little more than without. */
const pageBudget = 2_990_000
/** With more objectives than this the thumbnails would outgrow the page. */
const shownObjectives = 4
/** Samples whose image and maps are fetched, decoded and drawn at the same time. */
const concurrency = 4

export interface ReportOptions {
  readonly output: Store
  readonly dataset: Store
  readonly set: ResultSet
  readonly summary: Summary
  /** Rejects with its reason; nothing has been written then. */
  readonly signal: AbortSignal
  readonly log: Logger
}

/**
 * Writes `report/index.html` of a result set: one page that needs nothing beside itself. The table streams by once;
 * afterwards only the chosen samples' images and maps are fetched. An image or map that is gone or unreadable becomes
 * a placeholder, and so does every further one of a store that does not answer. Raises what the output store raises when
 * the table is read or the page written.
 */
export async function writeReport({ output, dataset, set, summary, signal, log }: ReportOptions): Promise<void> {
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
  const sources = {
    set,
    reader: openAdapter(set.options.adapter),
    objectives,
    images: new PictureStore(dataset, signal, log),
    maps: new PictureStore(output, signal, log),
  }
  const chosen = selection.finish()
  const drafts = await mapBounded(chosen, concurrency, (sample) => gallerySample(sample, sources, drawn))
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
  const { samples, leftOut } = await fitGallery(drafts, Math.min(galleryBudget, pageBudget - rest))
  const page = renderPage({ ...content, samples, samplesLeftOut: leftOut })
  signal.throwIfAborted()
  await output.put(layout.report(set.id), page, { contentType: 'text/html; charset=utf-8' })
  log.debug({ samples: samples.length, bytes: Buffer.byteLength(page) }, 'wrote the report')
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

interface GallerySources {
  readonly set: ResultSet
  readonly reader: Adapter
  readonly objectives: readonly string[]
  readonly images: PictureStore
  readonly maps: PictureStore
}

async function gallerySample(
  { row, meanError, worst, spaced, order }: ChosenSample,
  { set, reader, objectives, images, maps: storedMaps }: GallerySources,
  drawn: ThumbnailLayout,
): Promise<DrawnSample> {
  const { maxPixels, adapter, style } = set.options
  const image = await images.fetch(imageKeyOf(reader, row.key), {
    maxPixels,
    applyExifOrientation: adapter.applyExifOrientation,
  })
  const maps = await Promise.all(
    objectives.map((objective) =>
      storedMaps.fetch(`${set.id}/${layout.map(objective, row.key)}`, { maxPixels, applyExifOrientation: false }),
    ),
  )
  const { cropX0: x0, cropY0: y0, cropX1: x1, cropY1: y1 } = row
  const crop = x0 === null || y0 === null || x1 === null || y1 === null ? null : { x0, y0, x1, y1 }
  const thumbnail = await drawThumbnail({ image, crop, maps }, drawn, style)
  return {
    key: row.key,
    order,
    estimate: [row.yaw, row.pitch, row.roll],
    label: [row.labelYaw, row.labelPitch, row.labelRoll],
    error: [row.errorYaw, row.errorPitch, row.errorRoll],
    top: topClass(row),
    mean: meanError,
    worst,
    spaced,
    thumbnail,
    notes: [
      // In tables with an objective class:label.
      ...(typeof row.class === 'number' ? [`labelled class ${row.class}`] : []),
      ...(image === null ? ['image cannot be read now'] : []),
      ...(maps.includes(null) ? ['map cannot be read now'] : []),
      ...(beyondLabelLimit(row) ? ['beyond ±99°, not counted'] : []),
      ...(row.message === null ? [] : [`label cannot be used: ${row.message}`]),
    ],
  }
}

function topClass({ topClass: index, topClassProbability: probability }: ReportRow): GallerySample['top'] {
  return typeof index === 'number' && typeof probability === 'number' ? { class: index, probability } : null
}
