import { beforeEach, expect, it, vi } from 'vitest'
import type { Executor, OpenExecutor, TensorData } from '../../src/saliency/engines/engine.ts'
import { createExplainer } from '../../src/saliency/explainer.ts'
import { loadNetwork } from '../../src/saliency/networks/load.ts'
import { checkpointBytes } from '../support/golden.ts'
import { overflowing } from '../support/patchedCheckpoint.ts'

const openReference = vi.hoisted(() => vi.fn<OpenExecutor>())
vi.mock('../../src/saliency/engines/reference.ts', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  openReference,
}))

/** What an engine gives for a batch of three, with some numbers bent. */
type Bend = (name: string, data: TensorData) => void

/** What the reference engine gives for the images below, which takes it a second. */
let computed: ReadonlyMap<string, TensorData> | undefined

/** The reference engine; `bend` bends what it gives of a network, `knows` says whether it still knows its answer. */
async function broken(bend: Bend, knows = true): Promise<void> {
  const actual = await vi.importActual<{ openReference: OpenExecutor }>('../../src/saliency/engines/reference.ts')
  openReference.mockImplementation(async (graph, options): Promise<Executor> => {
    const executor = await actual.openReference(graph, options)
    return {
      ...executor,
      run: async (inputs) => {
        const isNetwork = inputs.has('pixels')
        const sound = isNetwork ? (computed ??= await executor.run(inputs)) : await executor.run(inputs)
        const results = new Map([...sound].map(([name, data]) => [name, data.slice()]))
        for (const [name, data] of results) {
          if (isNetwork) bend(name, data)
          else if (!knows) data.fill(NaN)
        }
        return results
      },
    }
  })
}

beforeEach(() => openReference.mockReset())

const side = 33
const open = () =>
  createExplainer({
    network: loadNetwork(checkpointBytes('tiny_hp.pkl'), 'tiny_hp.pkl', { input: { width: side, height: side } }),
    objectives: ['yaw', '-pitch'],
    scope: 'all',
    style: 'origin',
    gradients: false,
    batch: 3,
    engine: 'reference',
    intraOpThreads: 1,
  })
const images = [10, 120, 230].map((level) => new Uint8Array(3 * side * side).fill(level))

/** Bends the numbers of one output in the second of three rows. */
const inSecondRow =
  (wanted: string, value: number): Bend =>
  (name, data) => {
    const row = data.length / 3
    if (name === wanted) data.fill(value, 2 * row - 1, 2 * row)
  }

it.each([
  ['angle/yaw', NaN, 'yaw'],
  ['angle/roll', Infinity, 'roll'],
  ['output/pitch', -Infinity, 'output pitch'],
  ['statistics/-pitch', Infinity, 'gradient of -pitch'],
  ['magnitude/yaw', NaN, 'gradient of yaw'],
])('%s of %s is a fault of its image alone', async (name, value, notFinite) => {
  await broken(() => undefined)
  const sound = await (await open()).explainEach(images)
  await broken(inSecondRow(name, value))
  const explainer = await open()
  expect(await explainer.explainEach(images)).toEqual([sound[0], { notFinite }, sound[2]])
  await expect(explainer.explain(images)).rejects.toMatchObject({
    name: 'SampleError',
    code: 'not-finite',
    message: expect.stringContaining(`the ${notFinite} of this image`) as string,
  })
})

it('an engine that misses its known answer as well is at fault itself', async () => {
  await broken(inSecondRow('angle/yaw', NaN), false)
  const explainer = await open()
  await expect(explainer.explainEach(images)).rejects.toMatchObject({ name: 'PlaceError', code: 'engine-wrong' })
})

it('the known answer is asked for at every such batch, and at no other', async () => {
  let isBent = false
  await broken((name, data) => isBent && inSecondRow('angle/yaw', NaN)(name, data))
  const explainer = await open()
  const opened = async (): Promise<number> => {
    const before = openReference.mock.calls.length
    await explainer.explainEach(images)
    return openReference.mock.calls.length - before
  }
  expect(await opened()).toBe(0)
  isBent = true
  expect([await opened(), await opened()]).toEqual([1, 1])
})

it('a network that overflows for a bright image alone gives the dark one its angles, on a real engine', async () => {
  const explainer = await createExplainer({
    network: loadNetwork(overflowing.bytes, 'overflowing.safetensors', overflowing.override),
    objectives: ['sum'],
    scope: 'all',
    style: 'magnitude',
    gradients: true,
    batch: 2,
    engine: 'onnxruntime:cpu',
    intraOpThreads: 1,
  })
  const [dark, bright] = [0, 255].map((level) => new Uint8Array(explainer.imageBytes).fill(level))
  const [first, second] = await explainer.explainEach([dark!, bright!])
  await explainer.dispose()
  expect(first).toMatchObject({ angles: { yaw: expect.any(Number) as number } })
  expect(second).toEqual({ notFinite: 'yaw' })
})
