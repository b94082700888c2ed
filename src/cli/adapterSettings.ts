import type { Settings } from '../config.ts'
import type { AdapterOptions } from '../contract/resultSet.ts'
import { angleNames, type AngleName } from '../pose/euler.ts'

/** How the settings say that a dataset is to be read. */
export function adapterOptions(settings: Settings): AdapterOptions {
  return {
    name: settings.adapter,
    filenameAngles: settings.filenameAngles.split(',').filter(isAngle),
    applyExifOrientation: settings.exifOrientation,
  }
}

function isAngle(text: string): text is AngleName {
  return angleNames.some((name) => name === text)
}
