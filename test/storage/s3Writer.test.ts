import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openStore } from '../../src/storage/open.ts'
import { partBytes } from '../../src/storage/s3Writer.ts'
import type { ObjectWriter, Store } from '../../src/storage/store.ts'
import { startS3Server, type Fault, type S3Request, type S3Server } from '../support/s3Server.ts'

const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }
/** Three parts, the last one small. */
const bytes = Buffer.alloc(17 << 20, 'headlight ')

let server: S3Server
let store: Store
beforeAll(async () => {
  server = await startS3Server(credentials)
})
afterAll(() => server.close())
beforeEach(() => {
  server.faults.length = 0
  server.objects().clear()
  server.abortUnfinished()
  for (const kind of Object.keys(server.counts)) delete server.counts[kind]
  store = openStore('s3://bucket/data', { endpoint: server.endpoint, credentials })
  return () => store.close()
})

const steps: Readonly<Record<string, (request: S3Request) => boolean>> = {
  'the beginning': ({ method, query }) => method === 'POST' && query.has('uploads'),
  'the second part': ({ query }) => query.get('partNumber') === '2',
  'the last part': ({ query }) => query.get('partNumber') === '3',
  'the completion': ({ method, query }) => method === 'POST' && query.has('uploadId'),
}
const strike = (step: string, what: Fault['what'], times: number) =>
  server.faults.push({ what, times, when: steps[step] ?? (() => false) })

const pieces = Array.from({ length: 17 }, (_, i) => bytes.subarray(i << 20, (i + 1) << 20))

/** Calls again what raises a TransientError, as a patient caller does; says how often that was. */
async function writeAll(writer: ObjectWriter): Promise<number> {
  let repeated = 0
  const patiently = async (call: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      try {
        return void (await call())
      } catch (error) {
        expect(error).toMatchObject({ name: 'TransientError', code: 'store-busy' })
        repeated++
      }
    }
  }
  for (const piece of pieces) await patiently(() => writer.append(piece))
  await patiently(() => writer.commit())
  return repeated
}

const written = () => server.objects().get('data/table')?.bytes ?? Buffer.alloc(0)

it('sends a small object in one request, a large one in parts', async () => {
  const small = store.write('small')
  await small.append(Buffer.alloc(8 << 20))
  await small.commit()
  expect(server.counts).toEqual({ PUT: 1 })
  await writeAll(store.write('table', { contentType: 'text/csv' }))
  expect(server.counts).toEqual({ PUT: 4, POST: 2 })
  expect(server.objects().get('data/table')?.contentType).toBe('text/csv')
})

it('has parts that every service takes, and enough of them for the largest object', () => {
  let largest = 0
  for (let part = 1; part <= 10_000; part++) {
    expect(partBytes(part)).toBeGreaterThanOrEqual(5 << 20)
    expect(partBytes(part)).toBeLessThanOrEqual(5 * 2 ** 30)
    largest += partBytes(part)
  }
  expect(largest).toBeGreaterThanOrEqual(5 * 2 ** 40)
})

it.each(Object.keys(steps).flatMap((step) => ['internal-error', 'reset', 'lose-answer'].map((what) => [what, step])))(
  'rides out %s at %s',
  async (what, step) => {
    strike(step ?? '', what as Fault['what'], 1)
    expect(await writeAll(store.write('table'))).toBe(0)
    expect(written().equals(bytes)).toBe(true)
  },
)

it.each(Object.keys(steps))('goes on after longer trouble at %s when the same call is made again', async (step) => {
  // The SDK sends a request five times.
  strike(step, 'internal-error', 5)
  expect(await writeAll(store.write('table'))).toBe(1)
  expect(written().equals(bytes)).toBe(true)
  expect(server.unfinished()).toEqual([])
})

it('goes on when a piece larger than a part breaks off in its middle', async () => {
  strike('the second part', 'internal-error', 5)
  const writer = store.write('table')
  await expect(writer.append(bytes)).rejects.toMatchObject({ name: 'TransientError' })
  await writer.append(bytes)
  await writer.commit()
  expect(written().equals(bytes)).toBe(true)
})

it('believes no 200 that holds an error', async () => {
  strike('the completion', 'error-in-200', 1)
  await writeAll(store.write('table'))
  expect(written().equals(bytes)).toBe(true)
})

it('takes no older object for its own when its upload is gone', async () => {
  await writeAll(store.write('table'))
  const old = await store.head('table')
  const writer = store.write('table')
  for (const piece of pieces) await writer.append(piece)
  server.abortUnfinished()
  for (const call of [() => writer.append(bytes), () => writer.commit()]) {
    await expect(call()).rejects.toMatchObject({
      name: 'PlaceError',
      code: 'store-gone',
      message: expect.stringContaining('start the same command again') as string,
    })
  }
  await writer.discard()
  expect(await store.head('table')).toEqual(old)
})

it('leaves nothing behind where it is refused', async () => {
  strike('the last part', 'quota', Infinity)
  const writer = store.write('table')
  for (const piece of pieces) await writer.append(piece)
  await expect(writer.commit()).rejects.toMatchObject({ name: 'PlaceError', code: 'disk-full' })
  expect(server.unfinished()).toEqual(['data/table'])
  await writer.discard()
  expect(server.unfinished()).toEqual([])
  expect(server.objects().size).toBe(0)
})

it('keeps what it raised when it cannot be discarded either', async () => {
  const writer = store.write('table')
  for (const piece of pieces) await writer.append(piece)
  server.faults.push({ what: 'deny', when: () => true })
  await writer.discard()
  expect(server.unfinished()).toEqual(['data/table'])
  server.abortUnfinished()
})
