import { z } from 'zod'

/** What a column of an index can tell of a sample. */
export const indexFields = [
  'key',
  'yaw',
  'pitch',
  'roll',
  'x0',
  'y0',
  'x1',
  'y1',
  'subject',
  'sequence',
  'frame',
] as const

/** Whether EXIF orientation is applied before anything else; the origin ignores it. */
const applyExifOrientation = z.boolean()

/**
 * How the dataset is read. Different options here give different records, so they are part of the result set, and each
 * layout holds only its own: an option that came later must not give all older result sets another digest.
 */
export const adapterOptionsSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.enum(['images', 'filename']),
    /** Order of the three angles in the origin's file names. */
    filenameAngles: z.array(z.enum(['yaw', 'pitch', 'roll'])).length(3),
    applyExifOrientation,
    /** Only keys that match are samples. Absent: all images. */
    glob: z.string().optional(),
  }),
  z.strictObject({
    name: z.literal('biwi'),
    applyExifOrientation,
    /** Whose axes the labels are given in: the depth camera's, as in the files and the literature, or the picture's own. */
    labels: z.enum(['depth', 'rgb']),
    /** Added on each side of the crop box, as a fraction of it; null when `boxes` says where heads are. */
    margin: z.number().nullable(),
    /** Key in the dataset, or URI, of a list of boxes; only what stands in it is a sample. */
    boxes: z.string().nullable(),
  }),
  z.strictObject({
    name: z.literal('aflw2000'),
    applyExifOrientation,
    /** `hopenet-literal` counts missing landmarks among the others, as the published evaluation did. */
    box: z.enum(['hopenet', 'hopenet-literal']),
  }),
  z.strictObject({
    name: z.literal('csv'),
    applyExifOrientation,
    /** Key in the dataset, or URI, of the index. */
    index: z.string(),
    /** Names of columns that are not called like what they hold. */
    columns: z.partialRecord(z.enum(indexFields), z.string()),
  }),
])
export type AdapterOptions = z.infer<typeof adapterOptionsSchema>

/** How a dataset was read, for people: errors of two runs compare only where boxes, margin and label frame are the same. */
export function describeAdapter(options: AdapterOptions): string {
  const facts = factsOf(options)
  if (options.applyExifOrientation) facts.push('turned as EXIF says')
  return facts.length > 0 ? `${options.name} (${facts.join(', ')})` : options.name
}

function factsOf(options: AdapterOptions): string[] {
  switch (options.name) {
    case 'images':
      return options.glob === undefined ? [] : [`only ${options.glob}`]
    case 'filename': {
      const order = `angles ${options.filenameAngles.join(', ')}`
      return options.glob === undefined ? [order] : [order, `only ${options.glob}`]
    }
    case 'biwi': {
      const boxes = options.boxes === null ? `margin ${options.margin ?? 0}` : `boxes of ${options.boxes}`
      return [`labels of the ${options.labels === 'depth' ? 'depth' : 'colour'} camera`, boxes]
    }
    case 'aflw2000':
      return [`box ${options.box}`]
    case 'csv': {
      const columns = Object.entries(options.columns).map(([field, column]) => `${field} from ${column}`)
      return [`index ${options.index}`, ...columns]
    }
  }
}
