import type { Tensors } from '../weights/tensors.ts'
import type { Description } from './description.ts'
import type { RecognisedNetwork } from './family.ts'
import type { Provenance } from './provenance.ts'

/** A checkpoint that has been read, recognised and described: all that is needed to build its graph. */
export interface Network {
  /** Base name of the file, e.g. `densenet121_hp.pkl`. */
  readonly file: string
  /** SHA-256 of the file's bytes, hex. */
  readonly digest: string
  /** The second file of an ONNX network, where it has one; `digest` is SHA-256 of its bytes, hex. */
  readonly externalData?: { readonly file: string; readonly digest: string }
  /** How the file is made, e.g. `PyTorch zip`. */
  readonly format: string
  /** The number types that the weights were stored in, e.g. `['float32']`. */
  readonly storedTypes: readonly string[]
  /** What its family has found in the weights. */
  readonly recognised: RecognisedNetwork
  readonly description: Description
  /** Where people find what overrides the description; absent where that is `<file>.yaml` or nothing. */
  readonly source?: string
  /** By path into the description: `input.width`, `heads.0.step`. Every leaf has one; a tuple is one leaf. */
  readonly provenance: Readonly<Record<string, Provenance>>
  /** Sentences about what was assumed or left out, for people to read. */
  readonly notes: readonly string[]
  /** By the family's own names; heads by `<output>.weight` and `.bias`. */
  readonly weights: Tensors
}
