import { expect, it } from 'vitest'
import type { OpenExecutor } from '../../src/saliency/engines/engine.ts'
import { findEngine } from '../../src/saliency/engines/openEngine.ts'
import { checkKnownAnswer } from '../../src/saliency/knownAnswer.ts'

/** The reference with one output bent. */
function broken(bend: (values: Float32Array) => Float32Array): OpenExecutor {
  return async (graph, options) => {
    const executor = await (await findEngine('reference'))(graph, options)
    return {
      ...executor,
      run: async (inputs) =>
        new Map([...(await executor.run(inputs))].map(([name, data]) => [name, bend(Float32Array.from(data))])),
    }
  }
}

it.each([
  ['NaN', () => NaN],
  ['zeros', () => 0],
  ['another sign', (value: number) => -value],
  ['values one percent off', (value: number) => value * 1.01],
])('an engine that gives %s is refused', async (_, bent) => {
  const check = checkKnownAnswer(broken((values) => values.map(bent)))
  await expect(check).rejects.toMatchObject({ name: 'PlaceError', code: 'engine-wrong' })
})
