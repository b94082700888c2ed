import { z } from 'zod'
import { InputError, SampleError } from '../base/errors.ts'
import { closest } from '../base/spelling.ts'
import { angleNames, type AngleName } from '../pose/euler.ts'
import type { Store } from '../storage/store.ts'
import type { Adapter, Overview, Sample } from './adapter.ts'
import { applyExifOrientation, defineAdapter } from './adapterDefinition.ts'
import { imageOfFace } from './faceKey.ts'
import { listingOf, noTruth } from './images.ts'
import { indexLocation, joinIndex, readIndex } from './indexFile.ts'
import { whyNoKey } from './indexKey.ts'
import { indexFields, type IndexColumns } from './indexSource.ts'
import { labelSigns, labelSignsFlag, signsOption } from './labelSigns.ts'
import { UnusableLabel } from './unusableLabel.ts'

/**
 * Images that an index lists, with box, pose and names where it has them. A row's content travels with its sample and is
 * part of its fingerprint, so a corrected row makes the sample new, and a changed column that nobody reads does not.
 */
export const csv = defineAdapter({
  name: 'csv',
  summary: 'reads an index of images, with boxes and poses where it has them',
  flags: {
    index: z.string().min(1).optional().meta({
      group: 'data',
      placeholder: 'FILE',
      automatic: 'none, and the adapter csv needs one',
      description:
        'Adapter csv: the list of images, CSV with a header or JSON Lines: key, and where it has them yaw, pitch, roll (degrees), x0, y0, x1, y1 (image pixels), subject, sequence, frame. A plain name is a key in the dataset; a URI, an absolute path or one that begins with ./ or ../ is a file elsewhere. It is held in memory, about 150 MB for a million rows.',
    }),
    columns: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .meta({
        group: 'data',
        placeholder: 'NAMES',
        automatic: 'columns are called like what they hold',
        description:
          'Adapter csv: what columns are called, by comma: key=image,yaw=ry,x0=left. face=COLUMN makes every row a sample of its own, for images with several faces. class=COLUMN holds the class of each image, a whole number from 0, for --objective class:label.',
      }),
    labelSigns: labelSignsFlag,
  },
  options: z.strictObject({
    name: z.literal('csv'),
    applyExifOrientation,
    /** Key in the dataset, or URI, of the index. */
    index: z.string(),
    /** Names of columns that are not called like what they hold. */
    columns: z.partialRecord(z.enum(indexFields), z.string()),
    labelSigns,
  }),
  optionsOf: ({ index, columns, exifOrientation, labelSigns: signs }) => {
    if (index === undefined) throw new InputError('bad-option', '--adapter csv needs --index FILE')
    return {
      name: 'csv' as const,
      applyExifOrientation: exifOrientation,
      index: indexLocation(index),
      columns: columnNames([columns ?? []].flat().join(',')),
      ...signsOption(signs),
    }
  },
  open: ({ index, columns }) => csvAdapter(index, columns),
  describe: ({ index, columns }) => [
    `index ${index}`,
    ...Object.entries(columns).map(([field, column]) => `${field} from ${column}`),
  ],
  flagForOrder: ({ columns }, order) => {
    const column = (name: AngleName) => columns[name] ?? name
    const read = angleNames.flatMap((name, position) => {
      const from = order[position] ?? name
      return from === name ? [] : [`${name}=${column(from)}`]
    })
    return read.length > 0 ? `--columns ${read.join(',')}` : null
  },
})

function columnNames(text: string): IndexColumns {
  const names: { -readonly [Field in keyof IndexColumns]: IndexColumns[Field] } = {}
  for (const part of text.split(',').filter((written) => written.trim() !== '')) {
    const [name = '', column = ''] = part.split(/=(.*)/s)
    const field = name.trim()
    const known = indexFields.find((candidate) => candidate === field)
    if (known === undefined || column === '') {
      const meant = closest(field, indexFields)
      const hint = known === undefined && meant !== undefined ? `; did you mean ${meant}?` : ''
      throw new InputError(
        'bad-option',
        `--columns takes FIELD=COLUMN with one of ${indexFields.join(', ')}, not "${part}"${hint}`,
      )
    }
    names[known] = column
  }
  return names
}

function csvAdapter(index: string, columns: IndexColumns): Adapter {
  let overview: Overview = { warnings: [], isReadAnew: false }
  const imageKey = (key: string) => (columns.face === undefined ? key : imageOfFace(key))
  return {
    name: 'csv',
    samples: async function* (dataset, after) {
      const table = await readIndex(dataset, index, columns)
      // Not the table: it is large, and an adapter lives as long as its run.
      overview = { warnings: table.warnings, isReadAnew: table.isReadAnew }
      yield* joinIndex(table, (from) => allObjects(dataset, from), after)
    },
    read: async (_dataset, sample) => {
      const { fault, faultOf, ...truth } = sample.truth ?? noTruth
      if (fault === undefined) return truth
      if (faultOf === undefined) throw new UnusableLabel(fault, truth)
      // The sentence in the manifest is part of every fingerprint and stays; this one is free.
      const { face } = columns
      const advice =
        face === undefined
          ? ' If they are several faces, name the column that tells them apart: --columns face=COLUMN.'
          : truth.face === ''
            ? ` If they are several faces, name each of them in "${face}".`
            : ''
      throw new SampleError('bad-label', faultOf === 'rows' ? `${fault}${advice}` : fault)
    },
    ...(columns.face === undefined ? {} : { imageKey }),
    overview: () => overview,
    whyBadKey: (dataset, key) => whyNoKey(dataset.uri, imageKey(key)),
  }
}

/** Whatever it is called: the index says that it is an image. */
async function* allObjects(dataset: Store, after: string | undefined): AsyncIterable<Sample> {
  for await (const object of dataset.list(listingOf(after, undefined, () => true))) yield { ...object, companions: [] }
}
