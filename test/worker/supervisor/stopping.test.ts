import { expect, test } from 'vitest'
import { TransientError } from '../../../src/base/errors.ts'
import { computeShard } from '../../../src/worker/unit/pipeline.ts'
import { contents, newShard, withFaults } from '../../support/shard.ts'

test('after an abort no put is begun, and the call ends when those under way have', async () => {
  const shard = await newShard({ batch: 1 })
  for (let i = 0; i < 20; i++) await shard.image(`${i}.png`, i)
  const stop = new AbortController()
  let putting = 0
  let begunAfterStop = 0
  const output = withFaults(shard.output, {
    put: async (key, bytes, options) => {
      if (stop.signal.aborted) begunAfterStop++
      putting++
      await new Promise((resolve) => setTimeout(resolve, 5))
      const done = await shard.output.put(key, bytes, options)
      putting--
      return done
    },
  })
  shard.engine.before = async () => {
    if (shard.engine.batches.length === 6) stop.abort(new Error('lock lost'))
  }
  await expect(computeShard({ ...shard.work, output, signal: stop.signal })).rejects.toThrow('lock lost')
  expect(putting).toBe(0)
  expect(begunAfterStop).toBe(0)
  expect(await shard.records()).toEqual([])
  expect((await contents(shard.output)).size).toBeGreaterThan(0)
})

test('an abort ends the pauses between attempts', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  const stop = new AbortController()
  const dataset = withFaults(shard.dataset, {
    get: async () => {
      setTimeout(() => stop.abort(new Error('handed back')), 10)
      throw new TransientError('store-busy', 'SlowDown')
    },
  })
  const retries = { attempts: 5, firstMs: 1_000_000, longestMs: 1_000_000 }
  await expect(computeShard({ ...shard.work, dataset, retries, signal: stop.signal })).rejects.toThrow('handed back')
})

test('a signal that is aborted already lets nothing begin', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  await expect(computeShard({ ...shard.work, signal: AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow(
    'cancelled',
  )
  expect((await contents(shard.output)).size).toBe(0)
})
