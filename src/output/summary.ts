import { z } from 'zod'
import type { Store } from '../storage/store.ts'
import { activationsSchema } from './activations.ts'
import { getJson, printJson } from './jsonObject.ts'
import { layout } from './layout.ts'
import { leftOutSchema } from './leftOut.ts'
import { runCountsSchema, runStateSchema } from './runs.ts'

const angleSummary = z.strictObject({ yaw: z.number(), pitch: z.number(), roll: z.number(), mean: z.number() })
const biasSummary = z.strictObject({ yaw: z.number(), pitch: z.number(), roll: z.number() })
const errorsSummary = z.strictObject({ n: z.int(), excluded: z.int(), median: angleSummary, geodesicMean: z.number() })
const someAngles = z.object({ yaw: z.number().optional(), pitch: z.number().optional(), roll: z.number().optional() })
const partialErrorsSummary = z.object({
  n: z.int(),
  excluded: z.int(),
  mae: someAngles,
  median: someAngles,
  bias: someAngles,
})

/** What the samples say that a run has computed itself, those that failed among them. */
const runSummarySchema = z.object({
  n: z.int().positive(),
  mae: angleSummary.nullable(),
  bias: biasSummary.nullable(),
  errors: errorsSummary.nullable(),
  partialErrors: partialErrorsSummary.optional(),
  failures: z.record(z.string(), z.int()),
})
export type RunSummary = z.infer<typeof runSummarySchema>

/** `runs/<run id>/summary.json`, also what `run --json` prints. */
export const summarySchema = z.object({
  run: z.string(),
  /** URI of the result set. */
  output: z.string(),
  state: runStateSchema,
  counts: runCountsSchema,
  /** Mean absolute error in degrees over samples with a label and all three angles; null when there is none. */
  mae: angleSummary.nullable(),
  /** Mean signed error (estimate − label) in degrees over the same samples; absent in summaries of earlier versions. */
  bias: biasSummary.nullable().optional(),
  /** How the MAE came about: samples counted, excluded (|label| > 99°), median absolute error, mean geodesic error. */
  errors: errorsSummary.nullable(),
  /**
   * The same of a network that gives only some of the angles, for which `mae`, `bias` and `errors` are null: they promise
   * all three. Absent for every other network.
   */
  partialErrors: partialErrorsSummary.optional(),
  /** Samples of the state whose label cannot be used, but that have a map; absent when there is none. */
  unusableLabels: z.int().optional(),
  /** Failed records of the state by code. */
  failures: z.record(z.string(), z.int()),
  /**
   * The same over the samples that this run computed, not the whole state: in a state of a million, a night's thousand
   * new images could all be wrong and no figure above would move. Absent where the run computed none, and in summaries of
   * earlier versions.
   */
  thisRun: runSummarySchema.optional(),
  /**
   * Files that may be images and are no samples: by reason (`name`, `link`, `none`, or a suffix) how many, and one of
   * them. Absent when there is none. A retry lists little and keeps what the run before it says.
   */
  leftOut: leftOutSchema.optional(),
  /** Samples computed per second of the run's compute phase; null when nothing was computed. */
  imagesPerSecond: z.number().nullable(),
  /** Engines that took part, e.g. `onnxruntime:cpu`; several names when workers differed. */
  engine: z.array(z.string()),
  /** Why, by engine, where the workers said so. */
  engineReasons: z.record(z.string(), z.string()).optional(),
  /**
   * Of the network, by kind: how many there are, and how many of them are guided. Absent in summaries of earlier versions,
   * and where none has counted them.
   */
  activations: activationsSchema.optional(),
  /**
   * Mean correlation between the maps of two objectives over the state, by `a~b`; only when several objectives were
   * computed. In summaries of earlier versions it is over the images that the run computed.
   */
  mapCorrelations: z.record(z.string(), z.number()),
  /** Over how many images, by `a~b`. Absent where there is none, and in summaries of earlier versions. */
  mapCorrelationImages: z.record(z.string(), z.int()).optional(),
  startedAt: z.iso.datetime(),
  /** When all records had been read: table and report, which show it, are finished after that. */
  closedAt: z.iso.datetime(),
  headlightVersion: z.string(),
})
export type Summary = z.infer<typeof summarySchema>

/** The summary of a run; undefined while it is open. InputError `bad-layout` when it is another's. */
export async function readSummary(output: Store, set: string, run: string): Promise<Summary | undefined> {
  return (await getJson(output, layout.summary(set, run), summarySchema))?.value
}

/** Puts the summary of the run that it names. */
export async function putSummary(output: Store, set: string, summary: Summary): Promise<void> {
  await output.put(layout.summary(set, summary.run), printJson(summary), { contentType: 'application/json' })
}
