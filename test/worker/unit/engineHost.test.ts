import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import type { Network } from '../../../src/saliency/networks/network.ts'
import type * as Module from '../../../src/worker/unit/engineHost.ts'
import { overflowing } from '../../support/patchedCheckpoint.ts'
import { tinyCheckpoint } from '../../support/shard.ts'

/** Its thread needs the built program. */
const { EngineHost } = (await import(
  new URL('../../../dist/worker/unit/engineHost.js', import.meta.url).href
)) as typeof Module

const identityOf = ({ file, digest, description }: Network) => ({ file, digest, description: { ...description } })

test('the engine says what it runs on, and when it has come to a network that is to be opened', async () => {
  const host = new EngineHost((error) => expect.unreachable(error.message))
  await host.find('reference', undefined)
  expect(host.device).toBe('the CPU')
  const bytes = await readFile(tinyCheckpoint)
  const identity = identityOf(loadNetwork(bytes, 'tiny.pkl'))
  const how = { engine: 'reference', batch: null, largestBatch: 32, intraOpThreads: 1, modelsFolder: null }
  const what = { objectives: ['sum'], scope: 'all', style: 'origin', gradients: false } as const
  const begun: (number | null)[] = []
  expect(await host.openKept('tiny', identity, { ...how, ...what })).toBeNull()
  const { batch } = await host.open('tiny', identity, { bytes }, { ...how, ...what }, (tried) => begun.push(tried))
  expect(begun).toEqual([null])
  expect(batch).toBe(1)
})

test('an image for which the network overflows spoils neither its batch nor its thread', async () => {
  const host = new EngineHost((error) => expect.unreachable(error.message))
  await host.find('onnxruntime:cpu', undefined)
  const { bytes, override } = overflowing
  const identity = identityOf(loadNetwork(bytes, 'overflowing.safetensors', override))
  const how = { engine: 'onnxruntime:cpu', batch: 2, largestBatch: 32, intraOpThreads: 1, modelsFolder: null }
  const what = { objectives: ['sum'], scope: 'all', style: 'origin', gradients: true } as const
  const engine = await host.open('overflowing', identity, { bytes }, { ...how, ...what }, () => undefined)
  const image = (level: number) => new Uint8Array(3 * 224 * 224).fill(level)
  expect((await engine.explain([image(255), image(0)])).explanations).toEqual([
    { notFinite: 'yaw' },
    expect.objectContaining({ angles: expect.any(Object) as object }),
  ])
  expect((await engine.explain([image(0)])).explanations).toMatchObject([{ angles: {} }])
})

test('what one unit has compiled the next finds, and computes the same with it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'headlight-kept-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const bytes = await readFile(tinyCheckpoint)
  const identity = identityOf(loadNetwork(bytes, 'tiny.pkl'))
  const how = { engine: 'onnxruntime:cpu', batch: null, largestBatch: 32, intraOpThreads: 1, modelsFolder: folder }
  const what = { objectives: ['sum', 'yaw'], scope: 'all', style: 'origin', gradients: true } as const
  const options = { ...how, ...what }
  // Its memory goes to the thread with it.
  const image = () => Uint8Array.from({ length: 3 * 224 * 224 }, (_, i) => (i * 7919) % 251)
  const started = async () => {
    const host = new EngineHost((error) => expect.unreachable(error.message))
    await host.find('onnxruntime:cpu', undefined)
    return host
  }

  const first = await started()
  expect(await first.openKept('tiny', identity, options)).toBeNull()
  const compiled = await first.open('tiny', identity, { bytes }, options, () => undefined)
  expect(compiled).toMatchObject({ isKept: false, notes: [`the model is kept in ${folder}`] })
  expect(await readdir(folder)).toHaveLength(1)

  const second = await started()
  const found = await second.openKept('tiny', identity, options)
  expect(found).toMatchObject({ isKept: true, batch: 1, engine: 'onnxruntime:cpu' })
  const { explanations } = await compiled.explain([image()])
  expect((await found?.explain([image()]))?.explanations).toEqual(explanations)

  for (const other of [
    { ...options, objectives: ['sum'] },
    { ...options, intraOpThreads: 2 },
  ]) {
    expect(await second.openKept('other', identity, other)).toBeNull()
  }
  expect(await second.openKept('other', { ...identity, digest: '0'.repeat(64) }, options)).toBeNull()
})
