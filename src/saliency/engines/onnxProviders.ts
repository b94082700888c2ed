import type { InferenceSession } from 'onnxruntime-node'

export type OnnxProvider = 'cpu' | 'cuda' | 'webgpu'

/** How a graph is written for a provider, where the providers differ in what they have kernels for or do fast. */
export interface OnnxForms {
  /**
   * Whether activations lie in ONNX Runtime's blocked channel layout, in which whatever can be is written as a convolution
   * per channel (see onnxGraph.ts). Where there is no such layout these detours only cost.
   */
  readonly layout: 'blocked' | 'plain'
  /**
   * How a gradient finds its way to the maximum of a window: `positions` is a second output of the pool; `comparison`
   * compares the maximum with each offset of the window.
   */
  readonly maxima: 'positions' | 'comparison'
  /** How the first largest of a row is marked: `index` by ArgMax and OneHot, `comparison` by arithmetic alone. */
  readonly largest: 'index' | 'comparison'
  /** `variadic` as one Sum, `pairs` as a chain of additions. */
  readonly sum: 'variadic' | 'pairs'
  /** `kernel` as Round, `floor` composed of Floor and comparisons. */
  readonly round: 'kernel' | 'floor'
}

interface Provider {
  readonly forms: OnnxForms
  readonly session: Pick<InferenceSession.SessionOptions, 'executionProviders' | 'extra'>
}

/** An operation that would silently run on the CPU makes the session fail instead: a slow surprise is an error. */
const noFallback = { session: { disable_cpu_ep_fallback: '1' } }

/** Everything in which the providers differ, in one place. */
export const onnxProviders: Readonly<Record<OnnxProvider, Provider>> = {
  cpu: {
    forms: { layout: 'blocked', maxima: 'positions', largest: 'index', sum: 'variadic', round: 'kernel' },
    session: { executionProviders: ['cpu'] },
  },
  // Not tried on a GPU yet: where it was unclear which kernels it has, the form without them was taken.
  cuda: {
    forms: { layout: 'plain', maxima: 'comparison', largest: 'comparison', sum: 'variadic', round: 'kernel' },
    // The device that CUDA_VISIBLE_DEVICES leaves to this process.
    session: { executionProviders: [{ name: 'cuda', deviceId: 0 }], extra: noFallback },
  },
  webgpu: {
    forms: { layout: 'plain', maxima: 'comparison', largest: 'comparison', sum: 'pairs', round: 'floor' },
    // In its own preferred layout, NHWC, some grouped convolutions are silently wrong.
    session: { executionProviders: [{ name: 'webgpu', preferredLayout: 'NCHW' }], extra: noFallback },
  },
}
