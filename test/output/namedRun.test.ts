import { afterEach, beforeEach, expect, it } from 'vitest'
import { namedRun } from '../../src/output/namedRun.ts'
import type { ResultSet } from '../../src/output/resultSet.ts'
import { latestRun, openRun } from '../../src/output/runs.ts'
import { World } from '../support/producerWorld.ts'

let world: World
beforeEach(async () => {
  world = await World.make(['a.jpg'])
})
afterEach(() => world.remove())

async function open(set: ResultSet, at: string): Promise<string> {
  const latest = await latestRun(world.output, set.id)
  const run = await openRun({ output: world.output, set: set.id, base: null, full: false, latest, now: new Date(at) })
  return run.run
}

it('finds a run by id, by an unambiguous beginning or end, and the one started last, in any result set', async () => {
  const [yaw, pitch] = [await world.prepare(['yaw']), await world.prepare(['pitch'])]
  const first = await open(yaw, '2026-11-24T02:00:00Z')
  const last = await open(pitch, '2026-11-25T02:00:00Z')
  const middle = await open(yaw, '2026-11-24T12:00:00Z')
  const found = async (name: string) => {
    const { set, run } = await namedRun(world.output, name)
    return [set.id, run.run]
  }
  expect(await found(middle)).toEqual([yaw.id, middle])
  expect(await found('20261124T02')).toEqual([yaw.id, first])
  expect(await found(middle.slice(-6))).toEqual([yaw.id, middle])
  expect(await found('latest')).toEqual([pitch.id, last])
})

it('names the known runs when there is no such one, and the candidates when there are several', async () => {
  await expect(namedRun(world.output, 'latest')).rejects.toMatchObject({ code: 'no-such-run' })
  const set = await world.prepare()
  const runs = [await open(set, '2026-11-24T02:00:00Z'), await open(set, '2026-11-25T02:00:00Z')]
  for (const name of ['2025', '202611']) {
    const error: unknown = await namedRun(world.output, name).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'no-such-run', message: expect.stringContaining(runs.join(', ')) })
  }
})
