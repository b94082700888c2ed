import { PlaceError } from '../base/errors.ts'
import { gradientOf } from './backward.ts'
import type { OpenExecutor } from './engines/engine.ts'
import { constant, make } from './ops.ts'
import { simplifyGradient } from './simplify.ts'

const shape = [1, 3, 8, 8] as const
const step = 1e-2
/** Relative to the largest slope. A float32 difference over this step is good to about a thousandth. */
const tolerance = 1e-2

/**
 * Compares the gradient of a squared convolution with differences of its value on the same engine: whether its
 * convolution and its gradient belong together is so known without any other engine. Raises PlaceError `engine-wrong`.
 */
export async function checkGradient(open: OpenExecutor): Promise<void> {
  const x = make('input', [], { name: 'x', shape, dtype: 'float32' })
  const weights = Float32Array.from({ length: 4 * 3 * 9 }, (_, i) => Math.sin(1.3 * i + 0.5) / 3)
  const y = make('conv', [x, constant(weights, [4, 3, 3, 3])], { strides: [2, 2], pads: [1, 1, 1, 1], groups: 1 })
  const value = make('reduceSum', [make('mul', [y, y])], { axes: [0, 1, 2, 3] })
  const swept = gradientOf(value, x, 'none')
  const gradient = simplifyGradient([swept]).get(swept) ?? swept
  const executor = await open(
    {
      outputs: new Map([
        ['value', value],
        ['gradient', gradient],
      ]),
    },
    { intraOpThreads: 1 },
  )
  try {
    const image = Float32Array.from({ length: 3 * 64 }, (_, i) => Math.cos(0.7 * i))
    const run = async (name: string, at: Float32Array) => (await executor.run(new Map([['x', at]]))).get(name) ?? []
    const found = await run('gradient', image)
    const largest = [...found].reduce((max, slope) => Math.max(max, Math.abs(slope)), 0)
    for (const position of [0, 27, 63, 100, 191]) {
      const moved = (by: number) => image.with(position, (image[position] ?? 0) + by)
      const [above, below] = [await run('value', moved(step)), await run('value', moved(-step))]
      const slope = ((above[0] ?? NaN) - (below[0] ?? NaN)) / (2 * step)
      if (!(Math.abs(slope - (found[position] ?? NaN)) <= tolerance * largest)) {
        throw new PlaceError(
          'engine-wrong',
          `the engine ${executor.engine} computes a gradient of ${found[position]} where its own values rise by ${slope}`,
        )
      }
    }
  } finally {
    await executor.dispose()
  }
}
