import { PlaceError } from '../base/errors.ts'
import { gradientOf } from './backward.ts'
import type { Executor, OpenExecutor } from './engines/engine.ts'
import { evaluate } from './engines/reference.ts'
import { elements, type Graph, type Node, type Shape } from './graph.ts'
import { constant, make } from './ops.ts'
import { simplifyGradient, simplifyNetwork } from './simplify.ts'

/** Relative to the largest value; float32 on a sound device stays a hundred times below. */
const tolerance = 1e-3

/**
 * Runs a small network with its guided gradient on an engine and compares with the reference: a driver, a build or a
 * memory that is broken shows here, before it has written a thousand wrong maps. Says what it ran on. Raises PlaceError `engine-wrong`.
 */
export async function checkKnownAnswer(openExecutor: OpenExecutor): Promise<Pick<Executor, 'version' | 'device'>> {
  const graph = smallNetwork()
  const inputs = new Map([['image', wave([1, 3, 24, 24], 0.37)]])
  const executor = await openExecutor(graph, { intraOpThreads: 1 })
  const results = await runOnce(executor, inputs)
  for (const [name, expected] of evaluate(graph, inputs)) {
    const actual = results.get(name) ?? new Float32Array()
    const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
    const sound = expected.every((value, i) => Math.abs((actual[i] ?? NaN) - value) <= tolerance * scale)
    if (!sound) {
      throw new PlaceError(
        'engine-wrong',
        `the engine ${executor.engine} computes a wrong ${name} for a built-in test network: check the device (headlight doctor) or use another --engine`,
      )
    }
  }
  const { version, device } = executor
  return { version, device }
}

async function runOnce(executor: Executor, inputs: ReadonlyMap<string, Float32Array>): ReturnType<Executor['run']> {
  try {
    return await executor.run(inputs)
  } finally {
    // It is asked again whenever an image gives NaN, so that what is left behind would add up.
    await executor.dispose()
  }
}

/** Stem, max pool, one dense layer, transition, head: every kind of operation that a DenseNet's program is made of. */
function smallNetwork(): Graph {
  const image = make('input', [], { name: 'image', shape: [1, 3, 24, 24], dtype: 'float32' })
  let x = normRelu(conv(image, 8, 7, 2), 0.1)
  x = make('maxPool', [x], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })
  x = make('concat', [x, conv(normRelu(conv(normRelu(x, 0.2), 16, 1, 1), 0.3), 8, 3, 1)], { axis: 1 })
  x = make('averagePool', [conv(normRelu(x, 0.4), 8, 1, 1)], { kernel: [2, 2] })
  const pooled = make('reshape', [make('reduceMean', [normRelu(x, 0.5)], { axes: [2, 3] })], { shape: [1, 8] })
  const logits = make('matmul', [pooled, constant(wave([8, 5], 0.9), [8, 5])], { transposeB: false })
  const simpler = simplifyNetwork([logits]).get(logits) ?? logits
  const expectation = constant([1, 2, 3, 4, 5], [5, 1])
  const objective = make('matmul', [make('softmax', [simpler]), expectation], { transposeB: false })
  const gradient = gradientOf(objective, image, 'all')
  return {
    outputs: new Map([
      ['output', simpler],
      ['gradient', simplifyGradient([gradient]).get(gradient) ?? gradient],
    ]),
  }
}

function conv(x: Node, outs: number, kernel: number, stride: number): Node {
  const shape = [outs, x.shape[1] ?? 1, kernel, kernel]
  const half = (kernel - 1) / 2
  // Of a size that keeps activations near one, so that the softmax at the end is not saturated.
  const weights = wave(shape, 0.11 + kernel / 10).map((value) => (2 * value) / Math.sqrt(elements(shape) / outs))
  return make('conv', [x, constant(weights, shape)], {
    strides: [stride, stride],
    pads: [half, half, half, half],
    groups: 1,
  })
}

function normRelu(x: Node, phase: number): Node {
  const channels = [x.shape[1] ?? 1]
  const parts = [1, 0, 0, 1].map((centre, i) =>
    constant(
      wave(channels, phase + i).map((v) => centre + v / 3),
      channels,
    ),
  )
  return make('relu', [make('batchNorm', [x, ...parts], { epsilon: 1e-5 })])
}

/** Values in (−1, 1) that repeat nowhere and are the same everywhere. */
function wave(shape: Shape, phase: number): Float32Array {
  return Float32Array.from({ length: elements(shape) }, (_, i) => Math.sin(1.7 * i + phase * (i % 7) + phase))
}
