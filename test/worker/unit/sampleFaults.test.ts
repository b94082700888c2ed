import sharp from 'sharp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { InputError, PlaceError, SampleError, TransientError } from '../../../src/base/errors.ts'
import type { Adapter } from '../../../src/dataset/adapter.ts'
import { readRecordFile } from '../../../src/output/recordFile.ts'
import { tableRow } from '../../../src/output/table.ts'
import { openStore } from '../../../src/storage/open.ts'
import { computeShard } from '../../../src/worker/unit/pipeline.ts'
import { startS3Server, type S3Request } from '../../support/s3Server.ts'
import { contents, newShard, picture, withFaults, type Shard } from '../../support/shard.ts'

async function codes(shard: Shard): Promise<(string | null)[]> {
  return (await shard.records()).map((record) => (record.status === 'failed' ? record.code : null))
}

const busy = () => Promise.reject(new TransientError('store-busy', 'SlowDown'))

test('each bad object fails alone, with its code', async () => {
  const shard = await newShard({ set: { maxPixels: 100 } })
  await shard.image('00.png', 1)
  await shard.object('01.jpg', 'text named jpg')
  await shard.object('02.png', '')
  await shard.object('03.png', (await picture(5)).subarray(0, 60))
  await shard.object('04.png', await picture(5, 50, 50))
  await shard.image('05.png', 5)
  await shard.dataset.delete('05.png')
  await shard.image('06.png', 6)
  await shard.dataset.put('06.png', await picture(7, 9, 9))
  const refused = { etag: 'x', sizeBytes: 1, fingerprint: 'f', companions: [] }
  shard.list({ ...refused, key: '../07.png', refused: 'bad-key' })
  shard.list({ ...refused, key: '08.png.png', refused: 'key-collision' })
  await shard.object('09.gif', await picture(9))
  await computeShard(shard.work)
  expect(await codes(shard)).toEqual([
    null,
    'not-an-image',
    'empty-object',
    'truncated-image',
    'too-many-pixels',
    'vanished',
    'changed',
    'bad-key',
    'key-collision',
    null,
  ])
})

test('an object too large for any image within the limit is not even fetched', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  const huge = { etag: 'x', sizeBytes: 300 * 2 ** 20, fingerprint: 'f', companions: [] }
  shard.list({ ...huge, key: 'b.png' })
  const fetched: string[] = []
  const dataset = withFaults(shard.dataset, {
    get: (key, options) => {
      fetched.push(key)
      return shard.dataset.get(key, options)
    },
  })
  await computeShard({ ...shard.work, dataset })
  expect(await codes(shard)).toEqual([null, 'too-many-bytes'])
  expect(fetched).toEqual(['a.png'])
})

test('a label that cannot be read fails the sample', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  await shard.image('b.png', 2)
  const adapter = {
    ...shard.work.adapter,
    read: async (...[dataset, sample]: Parameters<Adapter['read']>) => {
      if (sample.key === 'a.png') throw new SampleError('bad-label', 'the pose file has two rows')
      return shard.work.adapter.read(dataset, sample)
    },
  }
  await computeShard({ ...shard.work, adapter })
  expect(await codes(shard)).toEqual(['bad-label', null])
})

test('a transient error is ridden out', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  let failures = 2
  const dataset = withFaults(shard.dataset, {
    get: async (key) => (failures-- > 0 ? busy() : shard.dataset.get(key)),
  })
  await computeShard({ ...shard.work, dataset })
  expect(await codes(shard)).toEqual([null])
})

test('one object that stays unreadable while others are read is unavailable', async () => {
  const shard = await newShard()
  for (const key of ['a.png', 'b.png', 'c.png']) await shard.image(key, 1)
  let isRead: () => void = () => {}
  const read = new Promise<void>((resolve) => (isRead = resolve))
  let failures = 0
  const dataset = withFaults(shard.dataset, {
    get: async (key) => {
      // Its first failure comes before anything was read, its last after.
      if (key === 'b.png' && failures++ > 0) await read
      return key === 'b.png' ? busy() : shard.dataset.get(key)
    },
    head: busy,
  })
  const adapter = {
    ...shard.work.adapter,
    read: async (...[store, sample]: Parameters<Adapter['read']>) => {
      setImmediate(isRead)
      return shard.work.adapter.read(store, sample)
    },
  }
  await computeShard({ ...shard.work, dataset, adapter })
  expect(await codes(shard)).toEqual([null, 'unavailable', null])
})

test('the last object of a shard is unavailable when the store still answers for another', async () => {
  const shard = await newShard()
  for (const key of ['a.png', 'b.png']) await shard.image(key, 1)
  const dataset = withFaults(shard.dataset, {
    get: async (key) => (key === 'b.png' ? busy() : shard.dataset.get(key)),
  })
  await computeShard({ ...shard.work, dataset, fetchConcurrency: 1 })
  expect(await codes(shard)).toEqual([null, 'unavailable'])
})

test('a store that fails for every object fails the shard, and writes nothing', async () => {
  const shard = await newShard()
  for (const key of ['a.png', 'b.png']) await shard.image(key, 1)
  const dataset = withFaults(shard.dataset, { get: busy, head: busy })
  await expect(computeShard({ ...shard.work, dataset })).rejects.toMatchObject({
    name: TransientError.name,
    code: 'store-busy',
  })
  expect((await contents(shard.output)).size).toBe(0)
})

test('a store that goes away midway fails the shard', async () => {
  const shard = await newShard({ batch: 1 })
  for (let i = 0; i < 8; i++) await shard.image(`${i}.png`, i)
  let reads = 0
  const dataset = withFaults(shard.dataset, {
    get: async (key) => (reads++ < 3 ? shard.dataset.get(key) : busy()),
    head: busy,
  })
  await expect(computeShard({ ...shard.work, dataset, fetchConcurrency: 1 })).rejects.toThrow(TransientError)
  expect(await shard.records()).toEqual([])
})

test('the only object of a shard is given up at the job’s last attempt, when the store answers', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  const dataset = withFaults(shard.dataset, { get: busy })
  await expect(computeShard({ ...shard.work, dataset })).rejects.toThrow(TransientError)
  await computeShard({ ...shard.work, dataset, lastAttempt: true })
  expect(await codes(shard)).toEqual(['unavailable'])
})

describe('the only object of a shard fails, while the store serves others', () => {
  const refused = () => Promise.reject(new InputError('access-denied', 'AccessDenied, says the key'))
  const expired = () => Promise.reject(new PlaceError('credentials-expired', 'refuses what it allowed before'))
  const faults: Partial<Record<string, () => Promise<never>>> = { busy, refused, expired }

  test.each(Object.keys(faults))('%s: it is unavailable at once, and not tried again and again', async (name) => {
    const shard = await newShard()
    await shard.image('m.png', 1)
    const asked: string[] = []
    const store = (bad: readonly string[]) =>
      withFaults(shard.dataset, {
        get: (key, options) => {
          asked.push(key)
          return bad.includes(key) ? (faults[name] ?? busy)() : shard.dataset.get(key, options)
        },
      })
    // Alone in the dataset there is nothing to compare it with.
    await expect(computeShard({ ...shard.work, dataset: store(['m.png']) })).rejects.not.toThrow(SampleError)
    await shard.dataset.put('empty.txt', '')
    for (const key of ['a.png', 'z.png']) await shard.dataset.put(key, 'x')
    await expect(computeShard({ ...shard.work, dataset: store(['a.png', 'm.png', 'z.png']) })).rejects.not.toThrow(
      SampleError,
    )
    expect(await codes(shard)).toEqual([])
    asked.length = 0
    // What follows it shares its fault; what comes first does not.
    await computeShard({ ...shard.work, dataset: store(['m.png', 'z.png']) })
    expect(await codes(shard)).toEqual(['unavailable'])
    expect(asked.filter((key) => key !== 'm.png').toSorted()).toEqual(['a.png', 'z.png'])
  })

  test.each(['key-disabled', 'deny', 'internal-error', [405, 'MethodNotAllowed'], [409, 'OperationAborted']] as const)(
    'as a service says it: %s',
    { timeout: 30_000 },
    async (what) => {
      const credentials = { accessKeyId: 'tester', secretAccessKey: 'not a secret' }
      const server = await startS3Server(credentials)
      onTestFinished(() => server.close())
      const shard = await newShard()
      const options = { endpoint: server.endpoint, credentials }
      const dataset = openStore('s3://bucket/heads', options)
      onTestFinished(() => dataset.close())
      for (const key of ['a.png', 'b.png']) server.put(`heads/${key}`, Buffer.from(await picture(1)))
      const info = await dataset.head('b.png')
      shard.list({ key: 'b.png', etag: '', sizeBytes: 1, ...info, fingerprint: 'f', companions: [] })
      const when = ({ key, method }: S3Request) => key === 'heads/b.png' && method === 'GET'
      server.faults.push({ when, what: typeof what === 'string' ? what : () => ({ status: what[0], body: what[1] }) })
      await computeShard({ ...shard.work, dataset })
      expect(await codes(shard)).toEqual(['unavailable'])
      // Another run, once the key is enabled again.
      server.faults.length = 0
      await computeShard({ ...shard.work, job: { ...shard.job, run: 'run-2' }, dataset })
      const again = await readRecordFile(shard.output, shard.job.set, 'run-2', shard.job)
      expect([...(again?.records() ?? [])].map(({ status }) => status)).toEqual(['ok'])
    },
  )
})

test('a refused access is a fault of the place', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  const dataset = withFaults(shard.dataset, {
    get: () => Promise.reject(new InputError('access-denied', 'the store refused the credentials')),
  })
  await expect(computeShard({ ...shard.work, dataset })).rejects.toMatchObject({
    name: PlaceError.name,
    code: 'access-denied',
  })
})

test('a full disk is a fault of the place', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  const output = withFaults(shard.output, {
    put: () => Promise.reject(new PlaceError('disk-full', 'no space is left')),
  })
  await expect(computeShard({ ...shard.work, output })).rejects.toMatchObject({ code: 'disk-full' })
})

test('a dataset folder that is suddenly empty does not turn its samples into vanished ones', async () => {
  const shard = await newShard()
  for (const key of ['a.png', 'b.png']) await shard.image(key, 1)
  for (const key of ['a.png', 'b.png']) await shard.dataset.delete(key)
  await expect(computeShard(shard.work)).rejects.toMatchObject({ name: PlaceError.name, code: 'store-gone' })
})

test('a map that the output cannot hold fails its sample alone', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  await shard.image('b.png', 2)
  const output = withFaults(shard.output, {
    put: async (key, bytes, options) => {
      if (key.endsWith('a.png')) throw new SampleError('bad-key', 'a file is where a folder must be')
      return shard.output.put(key, bytes, options)
    },
  })
  await computeShard({ ...shard.work, output })
  expect(await codes(shard)).toEqual(['bad-key', null])
})

test('an output that stays busy fails the shard without a commit', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  await expect(computeShard({ ...shard.work, output: withFaults(shard.output, { put: busy }) })).rejects.toThrow(
    TransientError,
  )
  expect(await shard.records()).toEqual([])
})

test('a label that cannot be used does not cost the map', async () => {
  const shard = await newShard()
  await shard.image('7_+361_+0_+0.png', 1)
  await shard.image('8_+36_+0_+0.png', 2)
  await computeShard(shard.work)
  const [bad, good] = await shard.records()
  expect(bad).toMatchObject({ status: 'ok', label: null, error: null, labelFault: expect.stringContaining('±360°') })
  expect(good).toMatchObject({ status: 'ok', label: { yaw: 36 } })
  expect(Object.keys(good ?? {})).not.toContain('labelFault')
  expect([bad!, good!].map((record) => [tableRow(record).code, tableRow(record).message])).toEqual([
    [null, expect.stringContaining('±360°')],
    [null, null],
  ])
  expect([...(await contents(shard.output)).keys()]).toContain(`${shard.job.set}/maps/sum/7_+361_+0_+0.png`)
})

test('faces are cut out of their image, and a key that is none says why', async () => {
  const columns = { face: 'person' }
  const adapter = { name: 'csv' as const, applyExifOrientation: false, index: 'index.csv', columns }
  const shard = await newShard({ set: { adapter } })
  const left = await sharp(await picture(10, 8, 8))
    .raw()
    .toBuffer()
  const right = await sharp(await picture(90, 8, 8))
    .raw()
    .toBuffer()
  const raw = { width: 8, height: 8, channels: 3 } as const
  const image = sharp({ create: { width: 16, height: 8, channels: 3, background: 'black' } }).composite([
    { input: left, raw, left: 0, top: 0 },
    { input: right, raw, left: 8, top: 0 },
  ])
  await shard.dataset.put('two.png', await image.png().toBuffer())
  const info = await shard.dataset.head('two.png')
  const names = { pose: null, subject: null, sequence: null, frame: null }
  const face = (name: string, x0: number) => ({
    ...info!,
    key: `two.png#${name}`,
    fingerprint: name,
    companions: [],
    truth: { ...names, box: { x0, y0: 0, x1: x0 + 8, y1: 8 }, face: name },
  })
  shard.list(face('l', 0))
  shard.list(face('r', 8))
  shard.list({ ...face('1', 0), key: '/elsewhere/a.png#1', refused: 'bad-key' })
  shard.list({ ...face('1', 0), key: 'z.png#1', etag: '' })
  shard.list({ ...face('2', 0), key: 'two.png #2', etag: '' })
  await computeShard(shard.work)
  const records = await shard.records()
  expect(records).toMatchObject([
    { key: 'two.png#l', status: 'ok', face: 'l', angles: { pitch: -10 }, crop: [0, 0, 8, 8] },
    { key: 'two.png#r', status: 'ok', face: 'r', angles: { pitch: -90 }, crop: [8, 0, 16, 8] },
    { code: 'bad-key', message: expect.stringContaining('"/elsewhere/a.png", which does not lie below file://') },
    {
      code: 'vanished',
      message: expect.stringMatching(/^the index names .*z\.png, which was not there when it was listed or read$/),
    },
    { code: 'vanished', message: expect.stringContaining('"two.png " ends in a blank, and "two.png" is there') },
  ])
  const maps = [...(await contents(shard.output)).keys()].filter((key) => key.includes('/maps/sum/'))
  expect(maps.map((key) => key.split('/sum/')[1])).toEqual(['two.png#l.png', 'two.png#r.png'])
})
