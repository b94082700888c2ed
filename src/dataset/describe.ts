import type { AdapterOptions } from '../contract/resultSet.ts'

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
