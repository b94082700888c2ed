import { expect, it } from 'vitest'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { nearListing } from '../../src/producer/nearListing.ts'
import { compareKeys } from '../../src/storage/keyOrder.ts'
import type { ListOptions } from '../../src/storage/store.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'
import { collected } from '../support/producerWorld.ts'

const key = (i: number) => `images/${String(i).padStart(3, '0')}.jpg`
const all = Array.from({ length: 100 }, (_, i) => key(i))

/** The listing of what is near the asked ones, with how much of the dataset was looked at, and where listings began. */
async function listed(asked: readonly string[], jumpRows: number, options: ListOptions = {}, keys = all, state = all) {
  const dataset = memoryStore(Object.fromEntries(keys.map((one) => [one, 'x'])))
  const begun: (string | undefined)[] = []
  let looked = 0
  const counted = {
    ...dataset,
    list: async function* (given: ListOptions = {}) {
      begun.push(given.after)
      for await (const object of dataset.list(given)) {
        looked++
        yield object
      }
    },
  }
  const rows = async function* () {
    for (const one of state) yield { key: one, isAsked: asked.includes(one) }
  }
  const shown = await collected(nearListing(counted, rows, jumpRows).list(options))
  return { keys: shown.map((object) => object.key), begun, looked }
}

it('lists nothing where nothing is asked for', async () => {
  expect(await listed([], 10)).toEqual({ keys: [], begun: [], looked: 0 })
})

it('begins before each asked sample, and goes on from one to the next when they are near', async () => {
  const { keys, begun, looked } = await listed([key(0), key(20), key(25), key(90)], 10)
  expect(keys).toEqual([key(0), ...all.slice(20, 26), key(90)])
  expect(begun).toEqual([undefined, key(19), key(89)])
  expect(looked).toBe(keys.length + 3)
})

it('goes on after a key as any listing does', async () => {
  const asked = [key(20), key(25), key(90)]
  const { keys } = await listed(asked, 10)
  for (const after of [key(0), key(20), key(22), key(25), key(50), key(90), key(95)]) {
    expect((await listed(asked, 10, { after })).keys).toEqual(keys.filter((one) => compareKeys(one, after) > 0))
  }
})

it('passes over an asked sample that is gone, also the last one', async () => {
  const keys = all.filter((one) => one !== key(20) && one < key(90))
  expect((await listed([key(20), key(99)], 10, {}, keys)).keys).toEqual([])
})

it('shows new objects beside what is asked for', async () => {
  const keys = [...all, 'images/020.a.jpg', 'images/new.jpg']
  expect((await listed([key(20), key(99)], 10, {}, keys)).keys).toEqual(['images/020.a.jpg', key(20), key(99)])
})

it('keeps with an image what an adapter finds beside it, before or after', async () => {
  const contents = Object.fromEntries(
    ['a.jpg', 'a.jpg.jpg', 'a.mat', 'b.mat', 'b.png', 'c.jpg', 'c.mat'].map((name) => [name, name]),
  )
  const dataset = memoryStore(contents)
  const adapter = openAdapter({ name: 'aflw2000', applyExifOrientation: false, box: 'hopenet' })
  const whole = await samplesOf(adapter, dataset)
  const rows = async function* () {
    for (const sample of whole) yield { key: sample.key, isAsked: sample.key === 'a.jpg' || sample.key === 'b.png' }
  }
  const near = await samplesOf(adapter, nearListing(dataset, rows, 1))
  for (const asked of ['a.jpg', 'b.png']) {
    expect(near.find((sample) => sample.key === asked)).toEqual(whole.find((sample) => sample.key === asked))
  }
})
