import { expect, test } from 'vitest'
import { suspicionSchema } from '../../src/contract/job.ts'
import { computeShard } from '../../src/worker/pipeline.ts'
import { ShardSuspicion } from '../../src/worker/suspicion.ts'
import { newShard } from './shard.ts'

/** Plays units that die on one key: each attempt starts from what the job said at the end of the one before. */
function attempt(known: unknown, keys: readonly string[], deadly: ReadonlySet<string>) {
  const suspicion = new ShardSuspicion(known === undefined ? undefined : suspicionSchema.parse(known))
  const { alone } = suspicion
  for (const key of keys) {
    if (alone?.convicted.includes(key)) continue
    if (alone) suspicion.touch(key)
    if (deadly.has(key)) return { died: true, isNearer: suspicion.died(), known: suspicion.known, alone }
  }
  return { died: false, isNearer: false, known: suspicion.known, alone }
}

test('an image is convicted after two ordinary deaths and two alone, and the rest is computed', () => {
  const keys = ['a', 'b', 'c']
  const history = []
  let last = attempt(undefined, keys, new Set(['b']))
  for (history.push(last); last.died; history.push(last)) last = attempt(last.known, keys, new Set(['b']))
  expect(history.map(({ died, isNearer, alone }) => ({ died, isNearer, alone }))).toEqual([
    { died: true, isNearer: false, alone: null },
    { died: true, isNearer: false, alone: null },
    { died: true, isNearer: true, alone: { convicted: [] } },
    { died: true, isNearer: true, alone: { convicted: [] } },
    { died: false, isNearer: false, alone: { convicted: ['b'] } },
  ])
})

test('a note left by a worker that was killed as a whole accuses nobody', () => {
  const suspicion = new ShardSuspicion({ deaths: 2, current: 'b', alone: {} })
  expect(suspicion.died()).toBe(false)
  expect(suspicion.known).toEqual({ deaths: 3, current: null, alone: {} })
})

test('alone, each sample is announced before it is touched, and done before the next', async () => {
  const shard = await newShard({ batch: 4 })
  for (const key of ['a.png', 'b.png', 'c.png']) await shard.image(key, 1)
  const seen: string[] = []
  shard.engine.before = async (means) => void seen.push(`engine ${means.length}`)
  const announce = async (key: string) => void seen.push(key)
  await computeShard({ ...shard.work, alone: { announce, convicted: new Set(['b.png']) } })
  expect(seen).toEqual(['a.png', 'engine 1', 'c.png', 'engine 1'])
  expect((await shard.records()).map((record) => (record.status === 'failed' ? record.code : null))).toEqual([
    null,
    'kills-unit',
    null,
  ])
})
