import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { loadNetwork } from '../../../src/saliency/networks/load.ts'
import type * as Module from '../../../src/worker/unit/engineHost.ts'
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
