import type { ErrorMessage } from '../../base/errorMessage.ts'
import type { ResultSet } from '../../output/resultSet.ts'
import type { ExplainerOptions, Explanation, NotFinite } from '../../saliency/explainer.ts'
import type { ExternalData } from '../../saliency/networks/onnx/externalData.ts'

/**
 * What a unit's main thread asks of its engine thread. Requests are answered in order, each exactly once; `opening` comes
 * before the answer to `open`.
 */
export type EngineRequest =
  | { readonly type: 'find'; readonly engine: string; readonly enginesFolder: string | undefined }
  /** `network` null: only if its program was kept, compiled; else it is `absent`. */
  | {
      readonly type: 'open'
      readonly set: string
      readonly identity: NetworkIdentity
      readonly network: NetworkFile | null
      readonly options: EngineOptions
    }
  | {
      readonly type: 'explain'
      readonly set: string
      readonly images: readonly Uint8Array[]
      /** Of each image, where an objective reads it. */
      readonly classes: readonly number[] | undefined
    }
  | { readonly type: 'close'; readonly set: string }

/** `batch` null: one on a CPU, on a GPU what its memory holds, up to `largestBatch`. */
export type EngineOptions = Omit<ExplainerOptions, 'network' | 'batch' | 'kept'> & {
  readonly batch: number | null
  readonly largestBatch: number
  /** Where compiled programs are kept; null: nowhere. */
  readonly modelsFolder: string | null
}

/** As the result set holds it: digests of the files, and the resolved description. */
export type NetworkIdentity = Pick<ResultSet['network'], 'file' | 'digest' | 'externalData' | 'description'>

export interface NetworkFile {
  readonly bytes: Uint8Array
  /** The second file of an ONNX network that has one. */
  readonly externalData?: ExternalData
}

export type EngineReply =
  | { readonly type: 'found'; readonly device: string }
  /** It is begun with, or with a batch whose memory may not be there. */
  | { readonly type: 'opening'; readonly batch: number | null }
  /** `notes`: whether the program was found compiled, and what else is to be told of that. */
  | {
      readonly type: 'opened'
      readonly engine: string
      readonly batch: number
      readonly isKept: boolean
      readonly notes: readonly string[]
    }
  | { readonly type: 'absent' }
  | {
      readonly type: 'explained'
      readonly explanations: readonly (Explanation | NotFinite)[]
      readonly engineMs: number
    }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly error: ErrorMessage }
