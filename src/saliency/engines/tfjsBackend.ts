import type * as CoreModule from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { NodeOf, OpName, Shape } from '../graph.ts'
import type { TensorData } from './engine.ts'

export type TfjsCore = typeof CoreModule

/**
 * How a value of four axes lies in memory. `plain` is the graph's own order (N×C×H×W for activations, out×in×height×width
 * for weights); `channelsLast` is N×H×W×C and `filter` is height×width×in×out, which are all that TensorFlow.js' kernels
 * for images take on a CPU. Values of other ranks are always plain.
 */
export type Layout = 'plain' | 'channelsLast' | 'filter'

export interface Value {
  readonly tensor: Tensor
  readonly layout: Layout
}

export type Kernel<K extends OpName> = (backend: TfjsBackend, node: NodeOf<K>, inputs: readonly Value[]) => Value

/** By operation; an operation's inputs and outputs are given and computed. */
export type Kernels = { readonly [K in Exclude<OpName, 'input' | 'constant'>]: Kernel<K> }

/**
 * A backend of TensorFlow.js, loaded. Every tensor holds float32: bytes become floats on their way in (on the device,
 * where the backend knows bytes), and whole numbers from 0 to 255 become bytes on their way out.
 */
export interface TfjsBackend {
  /** As people name it, e.g. `tfjs:wasm`. */
  readonly engine: string
  readonly version: string
  readonly device: string
  readonly core: TfjsCore
  /** Makes it the current one of the process: the package knows only one. Kernels run synchronously after it. */
  activate(): Promise<void>
  upload(data: TensorData, shape: Shape): Tensor
  /** Takes the place of what all backends share, where this one is faster or wrong. */
  readonly kernels: Partial<Kernels>
}
