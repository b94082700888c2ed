import { expect, test } from 'vitest'
import { Semaphore } from '../../src/base/semaphore.ts'
import { decodeImage } from '../../src/image/codec.ts'
import { picture } from '../support/shard.ts'

test('one too heavy for the whole goes alone, and others wait for their turn', async () => {
  const semaphore = new Semaphore(10)
  const entered: string[] = []
  const enter = (name: string, weight: number) =>
    semaphore.enter(weight).then((leave) => {
      entered.push(name)
      return leave
    })
  const small = await enter('small', 4)
  const heavy = enter('heavy', 1_000)
  const late = enter('late', 1)
  await Promise.resolve()
  expect(entered).toEqual(['small'])
  small()
  const leave = await heavy
  expect(entered).toEqual(['small', 'heavy'])
  leave()
  await late
})

test('a decoder says what it needs before it takes it: its channels and the RGB made of them', async () => {
  const needed: number[] = []
  const onHeader = async (bytes: number) => void needed.push(bytes)
  await decodeImage(await picture(3, 20, 10), { maxPixels: 1_000, applyExifOrientation: false, onHeader })
  expect(needed).toEqual([20 * 10 * (3 + 3)])
})
