import { afterEach, beforeEach, expect, it } from 'vitest'
import { putActivations, readActivations } from '../../src/output/activations.ts'
import { layout } from '../../src/output/layout.ts'
import { World } from '../support/producerWorld.ts'

let world: World
beforeEach(async () => {
  world = await World.make()
})
afterEach(() => world.remove())

const relus = [{ kind: 'relu', count: 49, guided: 49 }]
const key = layout.activations('set', 'model.pkl')
const read = () => readActivations(world.output, 'set', 'model.pkl')

it('is put beside the network once, and read again', async () => {
  expect(await read()).toBeUndefined()
  await putActivations(world.output, 'set', 'model.pkl', relus)
  expect(await read()).toEqual(relus)
  expect(key).toBe('set/network/model.pkl.activations.json')
  const before = await world.output.head(key)
  await putActivations(world.output, 'set', 'model.pkl', [])
  expect(await world.output.head(key)).toEqual(before)
})

it('is passed over where it cannot be read, and read where a later version says more', async () => {
  for (const text of ['', 'no JSON', '[]', '{"activations":[{"kind":"relu"}]}']) {
    await world.output.put(key, text)
    expect(await read()).toBeUndefined()
  }
  await world.output.put(key, JSON.stringify({ schema: 2, activations: [{ ...relus[0], gelu: 1 }] }))
  expect(await read()).toEqual(relus)
})
