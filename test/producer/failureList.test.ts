import { afterEach, beforeEach, expect, it } from 'vitest'
import { layout } from '../../src/contract/layout.ts'
import { FailureList } from '../../src/producer/failureList.ts'
import { World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.make()
})
afterEach(() => world.remove())

const written = async (part: number) => (await world.output.get(layout.failures('set', 'run', part)))?.bytes.toString()

it('writes many failures in parts, each a whole CSV', async () => {
  const failures = new FailureList(world.output, 'set', 'run', 2)
  for (const key of ['a', 'b,c', 'd']) await failures.add({ key, code: 'corrupt-image', message: 'it is "bad"' })
  await failures.finish()
  expect(layout.failures('set', 'run', 1)).toBe('set/runs/run/failures-00001.csv')
  const said = 'corrupt-image,"it is ""bad"""\r\n'
  expect(await written(0)).toBe(`key,code,message\r\na,${said}"b,c",${said}`)
  expect(await written(1)).toBe(`key,code,message\r\nd,${said}`)
  expect(await written(2)).toBeUndefined()
})

it('writes the header alone when nothing failed', async () => {
  await new FailureList(world.output, 'set', 'run').finish()
  expect(await written(0)).toBe('key,code,message\r\n')
})
