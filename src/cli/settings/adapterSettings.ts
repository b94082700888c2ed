import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InputError } from '../../base/errors.ts'
import { closest } from '../../base/spelling.ts'
import { indexFields, type AdapterOptions } from '../../dataset/adapterOptions.ts'
import { angleNames, type AngleName } from '../../pose/euler.ts'
import { flagName, type Settings } from './schema.ts'

/** Settings without a default that only one kind of adapter has a use for. */
const owners = {
  glob: ['images', 'filename'],
  boxes: ['biwi'],
  index: ['csv'],
  columns: ['csv'],
} as const satisfies Partial<Record<keyof Settings, readonly Settings['adapter'][]>>

/** How the settings say that a dataset is to be read. Raises InputError `bad-option` when they do not fit each other. */
export function adapterOptions(settings: Settings): AdapterOptions {
  for (const name of ['glob', 'boxes', 'index', 'columns'] as const) {
    // Passed over, it would give a result that looks like what was asked for.
    if (settings[name] !== undefined && !owners[name].some((adapter) => adapter === settings.adapter)) {
      throw new InputError(
        'bad-option',
        `--${flagName(name)} belongs to --adapter ${owners[name].join(' or ')}, not to ${settings.adapter}`,
      )
    }
  }
  const { adapter: name, exifOrientation: applyExifOrientation, glob } = settings
  switch (name) {
    case 'images':
    case 'filename':
      return {
        name,
        filenameAngles: angleOrder(settings),
        applyExifOrientation,
        ...(glob === undefined ? {} : { glob }),
      }
    case 'biwi': {
      const boxes = settings.boxes === undefined ? null : indexLocation(settings.boxes)
      const margin = boxes === null ? settings.margin : null
      return { name, applyExifOrientation, labels: settings.biwiLabels, margin, boxes }
    }
    case 'aflw2000':
      return { name, applyExifOrientation, box: settings.box }
    case 'csv': {
      if (settings.index === undefined) throw new InputError('bad-option', '--adapter csv needs --index FILE')
      const columns = columnNames([settings.columns ?? []].flat().join(','))
      return { name, applyExifOrientation, index: indexLocation(settings.index), columns }
    }
  }
}

/** What the three numbers of a file name mean. */
export function angleOrder(settings: Settings): AngleName[] {
  return settings.filenameAngles.split(',').filter(isAngle)
}

function isAngle(text: string): text is AngleName {
  return angleNames.some((name) => name === text)
}

/** A path as the URI that means the same wherever it is read from; a plain name stays: it is a key in the dataset. */
function indexLocation(given: string): string {
  return isAbsolute(given) || /^\.\.?\//.test(given) ? pathToFileURL(resolve(given)).href : given
}

function columnNames(text: string): Partial<Record<(typeof indexFields)[number], string>> {
  const names: Partial<Record<(typeof indexFields)[number], string>> = {}
  for (const part of text.split(',').filter((written) => written !== '')) {
    const [field = '', column = ''] = part.split(/=(.*)/s)
    const known = indexFields.find((name) => name === field)
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
