import type { AngleName, Degrees } from '../pose/euler.ts'
import type { Network } from './networks/network.ts'

export type Scope = 'all' | 'stem' | 'none'
export type MapStyle = 'origin' | 'magnitude'

export interface ExplainerOptions {
  readonly network: Network
  /** Expanded objective names, see objective.ts: `sum`, `yaw`, `-yaw`, `yaw:top`, `yaw:bin:N`, `class:N`. */
  readonly objectives: readonly string[]
  readonly scope: Scope
  readonly style: MapStyle
  /** Whether raw gradients are handed out too. */
  readonly gradients: boolean
  /** Images per engine call; smaller last batches are padded. Minimum 1. */
  readonly batch: number
  /** `auto`, `onnxruntime`, `onnxruntime:cpu` or `reference`. Raises InputError `bad-engine` otherwise. */
  readonly engine: string
  /** Threads inside one engine call. 1 in a unit that owns one core. Minimum 1. */
  readonly intraOpThreads: number
}

/** What one objective shows for one image. */
export interface ObjectiveExplanation {
  /** 8-bit picture: height × width × 3 (style origin) or height × width (style magnitude), row-major. */
  readonly map: Uint8Array
  /** 3 × height × width, degrees per unit of normalised input; null unless asked for. */
  readonly gradient: Float32Array | null
  /** Mean, population standard deviation and max |g| over all channels and pixels. */
  readonly mean: number
  readonly std: number
  readonly maxAbs: number
  /** 28 × 28, max over channels of |g|, area-averaged, unit sum. */
  readonly magnitude: Float32Array
}

export interface Explanation {
  /** Null for an angle that the network has no head for. */
  readonly angles: Readonly<Record<AngleName, Degrees | null>>
  /** Raw outputs per head: logits of a binned head, one number of a value head. Keys are the heads' angles. */
  readonly outputs: Readonly<Record<string, Float32Array>>
  /** By objective name, in the order of the options. */
  readonly objectives: Readonly<Record<string, ObjectiveExplanation>>
}

/** A network with its objectives, compiled for one engine. Calls must not overlap; every call blocks its thread. */
export interface Explainer {
  /** Engine and provider, e.g. `onnxruntime:cpu`. */
  readonly engine: string
  readonly batch: number
  /** Each image is height × width × 3, RGB, 8 bit, already resized and cropped; at most `batch` of them. */
  explain(images: readonly Uint8Array[]): Promise<Explanation[]>
  dispose(): Promise<void>
}

export async function createExplainer(_options: ExplainerOptions): Promise<Explainer> {
  throw new Error('being built')
}
