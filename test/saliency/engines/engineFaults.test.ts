import { expect, it, vi } from 'vitest'
import type { OpenExecutor } from '../../../src/saliency/engines/engine.ts'
import { createExplainer } from '../../../src/saliency/explainer.ts'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import { checkpointBytes } from '../../support/golden.ts'

const openReference = vi.hoisted(() => vi.fn<OpenExecutor>())
vi.mock('../../../src/saliency/engines/reference.ts', () => ({ openReference }))

const open = (batch = 1) =>
  createExplainer({
    network: loadNetwork(checkpointBytes('tiny_hp.pkl'), 'tiny_hp.pkl'),
    objectives: ['sum'],
    scope: 'all',
    style: 'origin',
    gradients: false,
    batch,
    engine: 'reference',
    intraOpThreads: 1,
  })
const fault = { name: 'PlaceError', code: 'engine-wrong', message: expect.stringContaining('CUDA error 700') as string }

it('an engine that cannot open a network is a fault of the place, not of the shard', async () => {
  openReference.mockRejectedValue(new Error('CUDA error 700: out of memory\nat some line'))
  await expect(open()).rejects.toMatchObject(fault)
})

it('an engine that fails while it computes is a fault of the place, not of the shard', async () => {
  openReference.mockResolvedValue({
    engine: 'reference',
    version: '1',
    device: 'a GPU',
    run: () => Promise.reject(new Error('CUDA error 700: the device is lost')),
    dispose: () => Promise.resolve(),
  })
  const explainer = await open()
  await expect(explainer.explain([new Uint8Array(explainer.imageBytes)])).rejects.toMatchObject(fault)
})

it('a batch for which there is no array is a fault of the place, not of the shard', async () => {
  openReference.mockResolvedValue({
    engine: 'reference',
    version: '1',
    device: 'a GPU',
    run: () => Promise.resolve(new Map()),
    dispose: () => Promise.resolve(),
  })
  const explainer = await open(2 ** 40)
  await expect(explainer.explain([new Uint8Array(explainer.imageBytes)])).rejects.toMatchObject({
    name: 'PlaceError',
    code: 'engine-wrong',
    message: expect.stringContaining('--batch') as string,
  })
})
