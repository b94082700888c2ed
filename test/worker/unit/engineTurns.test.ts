import { expect, test } from 'vitest'
import { EngineTurns } from '../../../src/worker/unit/engineTurns.ts'
import { computeShard } from '../../../src/worker/unit/pipeline.ts'
import { newShard, withFaults } from '../../support/shard.ts'

/** A shard of five images, one a batch, that notes when it fetches, computes and writes. */
async function notingShard(name: string, turns: EngineTurns, notes: string[]) {
  const shard = await newShard({ batch: 1 })
  for (let i = 0; i < 5; i++) await shard.image(`${i}.png`, i)
  const dataset = withFaults(shard.dataset, {
    get: (key) => {
      notes.push(`${name} fetches ${key}`)
      return shard.dataset.get(key)
    },
  })
  shard.engine.before = async () => void notes.push(`${name} computes`)
  const work = { ...shard.work, dataset, turn: turns.take(), onTurn: () => void notes.push(`${name} has its turn`) }
  return { shard, work }
}

test('the next shard is fetched ahead and computed after the last batch of the one before', async () => {
  const turns = new EngineTurns()
  const notes: string[] = []
  const first = await notingShard('first', turns, notes)
  const second = await notingShard('second', turns, notes)
  let isFetchedAhead: () => void = () => {}
  const fetchedAhead = new Promise<void>((resolve) => (isFetchedAhead = resolve))
  const compute = first.shard.engine.before
  first.shard.engine.before = async (means) => {
    await fetchedAhead
    await compute(means)
  }
  const ahead = withFaults(second.work.dataset, {
    get: (key) => {
      if (key === '2.png') isFetchedAhead()
      return second.work.dataset.get(key)
    },
  })
  await Promise.all([computeShard(first.work), computeShard({ ...second.work, dataset: ahead })])
  const steps = notes.filter((note) => !note.includes('fetches'))
  expect(steps).toEqual([
    'first has its turn',
    ...Array.from({ length: 5 }, () => 'first computes'),
    'second has its turn',
    ...Array.from({ length: 5 }, () => 'second computes'),
  ])
})

test('a shard that fails or was committed already lets the next one on', async () => {
  const turns = new EngineTurns()
  const failing = await notingShard('failing', turns, [])
  const skipped = await notingShard('skipped', turns, [])
  const last = await notingShard('last', turns, [])
  await computeShard({ ...skipped.work, turn: new EngineTurns().take() })
  const broken = { ...failing.work, entries: () => Promise.reject(new Error('no manifest')) }
  await expect(computeShard(broken)).rejects.toThrow('no manifest')
  expect(await computeShard(skipped.work)).toMatchObject({ written: false })
  expect(await computeShard(last.work)).toMatchObject({ written: true, computed: 5 })
})

test('a shard that is stopped does not wait for its turn', async () => {
  const turns = new EngineTurns()
  turns.take()
  const { work } = await notingShard('stopped', turns, [])
  const stop = new AbortController()
  const computing = computeShard({ ...work, signal: stop.signal })
  stop.abort(new Error('moved'))
  await expect(computing).rejects.toThrow('moved')
})
