import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { latestRun, openRun } from '../../src/output/runs.ts'
import { World } from '../support/producerWorld.ts'

let world: World
beforeEach(async () => {
  world = await World.make()
})
afterEach(() => world.remove())

const laterRun = async () => {
  const folder = join(world.folder, 'output', 'set', 'runs', '20991231T000000Z-abcdef')
  await mkdir(join(folder, 'manifest'), { recursive: true })
  return folder
}

it('a run folder that a process left empty when it died is no run', async () => {
  const options = { output: world.output, set: 'set', base: null, full: false, latest: undefined, now: new Date() }
  await laterRun()
  expect(await latestRun(world.output, 'set')).toBeUndefined()
  const run = await openRun(options)
  expect(await latestRun(world.output, 'set')).toEqual(run)
})

it('a run whose run.json is gone, but not its manifest, is refused', async () => {
  await writeFile(join(await laterRun(), 'manifest', '00000.jsonl.gz'), 'part')
  await expect(latestRun(world.output, 'set')).rejects.toMatchObject({ code: 'bad-layout' })
})
