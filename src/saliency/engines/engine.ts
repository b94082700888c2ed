import type { Graph } from '../graph.ts'

export type TensorData = Float32Array | Uint8Array

/**
 * Runs one graph on one device. Executors are held against each other and against golden data; nothing above this
 * interface knows which one is at work.
 */
export interface Executor {
  /** Engine and provider, e.g. `onnxruntime:cpu`. */
  readonly engine: string
  /** Of the library that computes. */
  readonly version: string
  /** What it computes on, for people: `the CPU`, `a GPU`. */
  readonly device: string
  /** Values by name of the graph's inputs and outputs, row-major. Calls must not overlap; the thread is blocked. */
  run(inputs: ReadonlyMap<string, TensorData>): Promise<ReadonlyMap<string, TensorData>>
  dispose(): Promise<void>
}

export interface ExecutorOptions {
  /** Threads inside one call. Minimum 1. */
  readonly intraOpThreads: number
}

export type OpenExecutor = (graph: Graph, options: ExecutorOptions) => Promise<Executor>
