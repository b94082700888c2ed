import type { AdapterOptions } from '../contract/resultSet.ts'
import type { Adapter } from './adapter.ts'
import { filenameAdapter } from './filename.ts'
import { imagesAdapter } from './images.ts'

/** The adapter of a layout's name. */
export function openAdapter(options: AdapterOptions): Adapter {
  switch (options.name) {
    case 'images':
      return imagesAdapter()
    case 'filename':
      return filenameAdapter(options.filenameAngles)
  }
}
