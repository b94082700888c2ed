import { z } from 'zod'
import type { Store } from '../storage/store.ts'
import { getJson } from './jsonObject.ts'
import { layout } from './layout.ts'

const count = z.int().nonnegative()
const degrees = z.number()

/**
 * Errors of one angle: how many, Σ|error|, Σerror (estimate − label), degrees, each error rounded to 1e-4, and a histogram
 * of |error| as pairs of a bin of `errorBinEdges` and its count, empty bins left out.
 */
const angleErrorsSchema = z.strictObject({
  n: count,
  absoluteSum: degrees,
  signedSum: degrees,
  histogram: z.array(z.tuple([count, count])),
})
export type AngleErrors = z.infer<typeof angleErrorsSchema>

/** The same of the geodesic error, which has no sign. */
const geodesicErrorsSchema = angleErrorsSchema.omit({ signedSum: true })
export type GeodesicErrors = z.infer<typeof geodesicErrorsSchema>

const errorsShape = {
  /** Only angles that have errors. */
  errors: z.strictObject({
    yaw: angleErrorsSchema.optional(),
    pitch: angleErrorsSchema.optional(),
    roll: angleErrorsSchema.optional(),
    geodesic: geodesicErrorsSchema.optional(),
  }),
}

const groupSchema = z.strictObject({
  /** Rows that did not fail, with and without an error. */
  n: count,
  ...errorsShape,
})
/** Rows that have something in common. */
export type Group = z.infer<typeof groupSchema>

const namesSchema = z.strictObject({
  /** The largest by n that `namedGroups` and `namedBytes` leave room for; equal ones in the order of their names. */
  named: z.array(groupSchema.extend({ name: z.string() })),
  /** All others together; null when there is none. `names`: how many, of the first `countedNames` that were met. */
  others: groupSchema.extend({ names: count, isMore: z.boolean() }).nullable(),
  /** Rows without a name. */
  unnamed: groupSchema.nullable(),
})
export type Names = z.infer<typeof namesSchema>

/** `rows`: how many there are, with and without an error; `n` counts those with. */
const tenthsSchema = z.array(angleErrorsSchema.extend({ rows: count })).length(10)

/** `runs/<run id>/aggregates.json`: what the rows of a run's table amount to. A fresh run's are the same bytes. */
export const aggregatesSchema = z.strictObject({
  schema: z.literal(1),
  /** Of all histograms of |error|, degrees; bin i lies between edges i and i + 1. */
  errorBinEdges: z.array(degrees),
  all: groupSchema,
  /** By what the rows were placed in the grid over yaw and pitch; `none`: neither label nor estimate has both. */
  placedBy: z.strictObject({ label: count, estimate: count, none: count }),
  /** Cells of the grid that hold a row, by rising pitch, then yaw; `yaw` and `pitch` are their least, degrees. */
  cells: z.array(groupSchema.extend({ yaw: z.int(), pitch: z.int() })),
  subjects: namesSchema,
  sequences: namesSchema,
  /** Failed rows by code. */
  failures: z.record(z.string(), count),
  /**
   * Of binned heads, by angle: the errors of that angle by tenths of the likeliest bin's probability, [0, 0.1), [0.1,
   * 0.2) … [0.9, 1]. Absent for other heads.
   */
  confidence: z.strictObject({
    yaw: tenthsSchema.optional(),
    pitch: tenthsSchema.optional(),
    roll: tenthsSchema.optional(),
  }),
})
export type Aggregates = z.infer<typeof aggregatesSchema>

/** Undefined when the run has none: it changed nothing, or is of an earlier version. InputError `bad-layout`. */
export async function readAggregates(output: Store, set: string, run: string): Promise<Aggregates | undefined> {
  return (await getJson(output, layout.aggregates(set, run), aggregatesSchema))?.value
}

export async function putAggregates(output: Store, set: string, run: string, aggregates: Aggregates): Promise<void> {
  await output.put(layout.aggregates(set, run), `${JSON.stringify(aggregates)}\n`, { contentType: 'application/json' })
}
