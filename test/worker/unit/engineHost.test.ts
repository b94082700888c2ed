import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import type * as Module from '../../../src/worker/unit/engineHost.ts'
import { overflowing } from '../../support/patchedCheckpoint.ts'
import { tinyCheckpoint } from '../../support/shard.ts'

/** Its thread needs the built program. */
const { EngineHost } = (await import(
  new URL('../../../dist/worker/unit/engineHost.js', import.meta.url).href
)) as typeof Module

test('the engine says what it runs on, and when it has come to a network that is to be opened', async () => {
  const host = new EngineHost((error) => expect.unreachable(error.message))
  await host.find('reference', undefined)
  expect(host.device).toBe('the CPU')
  const bytes = await readFile(tinyCheckpoint)
  const { description } = loadNetwork(bytes, 'tiny.pkl')
  const how = { engine: 'reference', batch: null, largestBatch: 32, intraOpThreads: 1 }
  const what = { objectives: ['sum'], scope: 'all', style: 'origin', gradients: false } as const
  const begun: (number | null)[] = []
  const { batch } = await host.open('tiny', { file: 'tiny.pkl', bytes, description }, { ...how, ...what }, (tried) =>
    begun.push(tried),
  )
  expect(begun).toEqual([null])
  expect(batch).toBe(1)
})

test('an image for which the network overflows spoils neither its batch nor its thread', async () => {
  const host = new EngineHost((error) => expect.unreachable(error.message))
  await host.find('onnxruntime:cpu', undefined)
  const { bytes, override } = overflowing
  const { description } = loadNetwork(bytes, 'overflowing.safetensors', override)
  const how = { engine: 'onnxruntime:cpu', batch: 2, largestBatch: 32, intraOpThreads: 1 }
  const what = { objectives: ['sum'], scope: 'all', style: 'origin', gradients: true } as const
  const network = { file: 'overflowing.safetensors', bytes, description }
  const engine = await host.open('overflowing', network, { ...how, ...what }, () => undefined)
  const image = (level: number) => new Uint8Array(3 * 224 * 224).fill(level)
  expect((await engine.explain([image(255), image(0)])).explanations).toEqual([
    { notFinite: 'yaw' },
    expect.objectContaining({ angles: expect.any(Object) as object }),
  ])
  expect((await engine.explain([image(0)])).explanations).toMatchObject([{ angles: {} }])
})
