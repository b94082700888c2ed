import type { Tensors } from '../weights/tensors.ts'
import type { Description } from './description.ts'

/** A checkpoint that has been read, recognised and described: all that is needed to build its graph. */
export interface Network {
  /** Base name of the file, e.g. `densenet121_hp.pkl`. */
  readonly file: string
  /** SHA-256 of the file's bytes, hex. */
  readonly digest: string
  readonly description: Description
  readonly weights: Tensors
}
