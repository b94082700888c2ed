import type { Adapter } from './adapter.ts'
import type { AdapterOptions } from './adapterOptions.ts'
import { aflw2000Adapter } from './aflw2000.ts'
import { biwiAdapter } from './biwi.ts'
import { csvAdapter } from './csv.ts'
import { filenameAdapter } from './filename.ts'
import { imagesAdapter } from './images.ts'

/** The adapter of a layout's name. */
export function openAdapter(options: AdapterOptions): Adapter {
  switch (options.name) {
    case 'images':
      return imagesAdapter(options.glob)
    case 'filename':
      return filenameAdapter(options.filenameAngles, options.glob)
    case 'biwi':
      return biwiAdapter({ labels: options.labels, margin: options.margin ?? 0, boxes: options.boxes })
    case 'aflw2000':
      return aflw2000Adapter(options.box)
    case 'csv':
      return csvAdapter(options.index, options.columns)
  }
}
