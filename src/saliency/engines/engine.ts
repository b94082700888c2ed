import type { Graph, Shape } from '../graph.ts'
import type { KeptModels } from './keptModels.ts'

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
  /** Where the graph may be kept as the engine has optimised it; an engine that optimises nothing passes it over. */
  readonly kept?: KeptGraph | undefined
}

/** A graph by what it was made of. */
export interface KeptGraph {
  readonly models: KeptModels
  /** Of equal ones the graphs are equal, too, and so is the processor. */
  readonly identity: string
}

export type OpenExecutor = (graph: Graph, options: ExecutorOptions) => Promise<Executor>

/** Of a graph that was kept; undefined where it was not. */
export type OpenKeptExecutor = (kept: KeptGraph, options: ExecutorOptions) => Promise<KeptExecutor | undefined>

export interface KeptExecutor extends Executor {
  /** Shapes of the graph's inputs by name. */
  readonly inputs: ReadonlyMap<string, Shape>
}
