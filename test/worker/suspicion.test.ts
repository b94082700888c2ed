import { expect, test } from 'vitest'
import { retriedCodes } from '../../src/output/record.ts'
import { suspicionSchema } from '../../src/queue/jobs.ts'
import { ShardSuspicion, type DeathManner } from '../../src/worker/suspicion.ts'
import { computeShard } from '../../src/worker/unit/pipeline.ts'
import { newShard, withFaults } from '../support/shard.ts'

/** Plays units that die on one key: each attempt starts from what the job said at the end of the one before. */
function attempt(known: unknown, keys: readonly string[], deadly: ReadonlySet<string>) {
  const suspicion = new ShardSuspicion(known === undefined ? undefined : suspicionSchema.parse(known))
  const { alone } = suspicion
  for (const key of keys) {
    if (alone?.convicted[key]) continue
    if (alone) suspicion.touch(key)
    if (deadly.has(key)) return { died: true, isNearer: suspicion.died('ended'), known: suspicion.known, alone }
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
    { died: true, isNearer: true, alone: { convicted: {} } },
    { died: true, isNearer: true, alone: { convicted: {} } },
    { died: false, isNearer: false, alone: { convicted: { b: 'kills-unit' } } },
  ])
})

test('a note left by a worker that was killed as a whole accuses nobody', () => {
  const suspicion = new ShardSuspicion({ deaths: 2, current: 'b', alone: {} })
  expect(suspicion.died('ended')).toBe(false)
  expect(suspicion.known).toEqual({ deaths: 3, current: null, alone: {} })
})

test('silence alone convicts with a code that the next run tries again', () => {
  const silences = (...manners: Exclude<DeathManner, 'dismissed'>[]) => {
    let known = suspicionSchema.parse({ deaths: 2, current: null, alone: {} })
    for (const manner of manners) {
      const suspicion = new ShardSuspicion(known)
      suspicion.touch('b')
      suspicion.died(manner)
      known = suspicionSchema.parse(suspicion.known)
    }
    return new ShardSuspicion(known).alone?.convicted
  }
  expect(silences('silence', 'silence')).toEqual({ b: 'hangs-unit' })
  expect(silences('silence', 'ended')).toEqual({ b: 'kills-unit' })
  expect(silences('waiting', 'waiting', 'waiting')).toEqual({})
  expect(retriedCodes.has('hangs-unit')).toBe(true)
})

test('alone, each sample is announced when it is fetched, before it is decoded, and done before the next', async () => {
  const shard = await newShard({ batch: 4 })
  for (const key of ['a.png', 'b.png', 'c.png']) await shard.image(key, 1)
  await shard.object('d.png', 'no image')
  const seen: string[] = []
  const dataset = withFaults(shard.dataset, {
    get: (key, options) => {
      seen.push(`get ${key}`)
      return shard.dataset.get(key, options)
    },
  })
  shard.engine.before = async (means) => void seen.push(`engine ${means.length}`)
  const announce = async (key: string) => void seen.push(key)
  const clear = () => void seen.push('clear')
  const convicted = new Map([['b.png', 'kills-unit']] as const)
  await computeShard({ ...shard.work, dataset, alone: { announce, clear, convicted } })
  expect(seen).toEqual([
    ...['a.png', 'c.png', 'd.png'].flatMap((key) => [
      'clear',
      `get ${key}`,
      key,
      ...(key === 'd.png' ? [] : ['engine 1']),
    ]),
    // Before the commit.
    'clear',
  ])
  expect((await shard.records()).map((record) => (record.status === 'failed' ? record.code : null))).toEqual([
    null,
    'kills-unit',
    null,
    'not-an-image',
  ])
})
