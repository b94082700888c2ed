import { afterEach, beforeEach, expect, it } from 'vitest'
import { layout } from '../../src/output/layout.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun } from '../../src/output/runs.ts'
import type { Store } from '../../src/storage/store.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { collected, World } from '../support/producerWorld.ts'
import { wholeRun } from '../support/wholeRun.ts'

let world: World
let set: ResultSet

beforeEach(async () => {
  world = await World.make(['a.jpg', 'a.jpg.png', 'b/c.jpg', 'd.png'])
  set = await world.prepare()
  await completed(false)
})
afterEach(() => world.remove())

const completed = (prune: boolean, output?: Store) =>
  wholeRun(world, set, { prune, ...(output === undefined ? {} : { output }) })

const maps = async () =>
  (await collected(world.output.list({ prefix: `${set.id}/maps/yaw/` }))).map(({ key }) => key.split('/yaw/')[1])

it('removes the maps of gone samples when it is asked for, and not otherwise', async () => {
  expect(await maps()).toEqual(['a.jpg.png', 'b/c.jpg.png', 'd.png'])
  await world.removeImage('b/c.jpg')
  expect((await completed(false)).counts).toMatchObject({ gone: 1 })
  expect(await maps()).toContain('b/c.jpg.png')
  await world.removeImage('d.png')
  expect((await completed(true)).counts).toMatchObject({ gone: 1 })
  expect(await maps()).toEqual(['a.jpg.png'])
})

it('removes what earlier runs found gone and left, also when nothing has changed since, but nothing that has come back', async () => {
  await world.removeImage('b/c.jpg')
  await world.removeImage('d.png')
  await completed(false)
  await world.addImage('d.png')
  await completed(false)
  expect(await maps()).toEqual(['a.jpg.png', 'b/c.jpg.png', 'd.png'])
  expect((await completed(true)).counts).toMatchObject({ computed: 0, gone: 0 })
  expect(await maps()).toEqual(['a.jpg.png', 'd.png'])
})

it('goes no further back than to the last run that pruned', async () => {
  await world.removeImage('b/c.jpg')
  await completed(true)
  await world.output.put(`${set.id}/${layout.map('yaw', 'b/c.jpg')}`, 'put there by somebody')
  await completed(true)
  expect(await maps()).toEqual(['a.jpg.png', 'b/c.jpg.png', 'd.png'])
})

it('leaves the map of a sample that had collided with a gone one', async () => {
  await world.removeImage('a.jpg')
  expect((await completed(true)).counts).toMatchObject({ computed: 1, gone: 1, failed: 0 })
  expect(await maps()).toEqual(['a.jpg.png', 'b/c.jpg.png', 'd.png'])
})

it('goes on after a crash between publishing and removing', async () => {
  await world.removeImage('b/c.jpg')
  await world.removeImage('d.png')
  let deletes = 0
  const failing = wrapped(world.output, {
    delete: async (key) => {
      if (key.includes('/maps/') && ++deletes > 1) throw new Error('died')
      await world.output.delete(key)
    },
  })
  await expect(completed(true, failing)).rejects.toThrow('died')
  expect((await latestRun(world.output, set.id))?.state).toBe('open')
  const summary = await completed(true)
  expect(summary.counts).toMatchObject({ gone: 2 })
  expect(await maps()).toEqual(['a.jpg.png'])
  expect((await latestRun(world.output, set.id))?.state).toBe('completed')
})
