import { expect, it } from 'vitest'
import { FailureList } from '../../src/output/failureList.ts'
import { keptObject } from '../support/producerWorld.ts'

async function written(keys: readonly string[]): Promise<string> {
  const object = keptObject()
  const failures = new FailureList(object)
  for (const key of keys) await failures.add({ key, code: 'corrupt-image', message: 'it is "bad"' })
  await failures.finish()
  return object.bytes().toString()
}

it('writes one CSV of any number of failures', async () => {
  const keys = ['a', 'b,c', ...Array.from({ length: 2_500 }, (_, i) => `d${i}`)]
  const said = 'corrupt-image,"it is ""bad"""\r\n'
  expect(await written(keys)).toBe(
    `key,code,message\r\na,${said}"b,c",${said}${keys
      .slice(2)
      .map((key) => `${key},${said}`)
      .join('')}`,
  )
})

it('writes the header alone when nothing failed', async () => {
  expect(await written([])).toBe('key,code,message\r\n')
})
