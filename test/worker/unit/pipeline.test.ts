import sharp from 'sharp'
import { expect, test } from 'vitest'
import { layout } from '../../../src/output/layout.ts'
import { magnitudeBytes } from '../../../src/output/magnitudeFile.ts'
import { samplesMark } from '../../../src/output/shardSamples.ts'
import { computeShard } from '../../../src/worker/unit/pipeline.ts'
import { contents, newShard, picture, withFaults, type Shard } from '../../support/shard.ts'

/** The shard's two files of small maps. */
async function smallMaps(
  { output, job }: Shard,
  samples = '',
): Promise<{ magnitudes?: Uint8Array; input?: Uint8Array }> {
  const magnitudes = await output.get(layout.magnitudeFile(job.set, job.run, job.part, job.offset, samples))
  const input = await output.get(layout.inputFile(job.set, job.run, job.part, job.offset, samples))
  return { ...(magnitudes && { magnitudes: magnitudes.bytes }), ...(input && { input: Buffer.from(input.bytes) }) }
}

test('records stand in manifest order whatever finishes first', async () => {
  const shard = await newShard({ batch: 1 })
  for (let i = 0; i < 9; i++) await shard.image(`${i}.png`, 10 * i)
  // Later images come back from the dataset sooner than earlier ones.
  let delayMs = 40
  const dataset = withFaults(shard.dataset, {
    get: async (key) => {
      await new Promise((resolve) => setTimeout(resolve, (delayMs -= 5)))
      return shard.dataset.get(key)
    },
  })
  await computeShard({ ...shard.work, dataset })
  const records = await shard.records()
  expect(records.map(({ key }) => key)).toEqual(Array.from({ length: 9 }, (_, i) => `${i}.png`))
  expect(records.map((record) => record.status === 'ok' && record.angles.pitch)).toEqual(
    Array.from({ length: 9 }, (_, i) => -10 * i + 0),
  )
})

test('batches are full but for the last, across failed samples', async () => {
  const shard = await newShard({ batch: 4 })
  for (let i = 0; i < 10; i++) {
    if (i === 2) await shard.object('2.png', 'no image')
    else await shard.image(`${i}.png`, i)
  }
  const done = await computeShard(shard.work)
  expect(shard.engine.batches).toEqual([4, 4, 1])
  expect(done).toMatchObject({ written: true, computed: 10, failed: 1, engine: 'fake', engineMs: 3 })
})

test('a map shows what the engine drew, and its record says where it lies', async () => {
  const shard = await newShard()
  await shard.image('a/b_+1_-2_+3.jpg', 40)
  await shard.image('c.png', 50)
  await computeShard(shard.work)
  const [first] = await shard.records()
  if (first?.status !== 'ok') throw new Error('no ok record')
  expect(first.objectives['-yaw']?.map).toBe('maps/-yaw/a/b_+1_-2_+3.jpg.png')
  const map = await shard.output.get(`${shard.job.set}/${first.objectives['-yaw']?.map}`)
  const { data, info } = await sharp(map?.bytes).raw().toBuffer({ resolveWithObject: true })
  expect(info).toMatchObject({ width: 8, height: 8, channels: 3 })
  expect([...new Set(data)]).toEqual([41])
})

test('the .mag file has one block per ok record and objective, the .input file one, and their name says which', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  await shard.object('b.png', '')
  await shard.image('c.png', 2)
  await computeShard(shard.work)
  const { magnitudes, input } = await smallMaps(shard, samplesMark([true, false, true]))
  expect(magnitudes?.length).toBe(2 * 2 * magnitudeBytes)
  expect(input).toEqual(Buffer.concat([Buffer.alloc(784, 1), Buffer.alloc(784, 2)]))
})

test('a shard without any ok sample has neither file, one whose samples are all ok has both by their plain names', async () => {
  const names = async (shard: Shard) =>
    [...(await contents(shard.output)).keys()].filter((key) => key.includes('/records/'))
  const records = 'tiny-all-00000000/runs/run-1/records/00000-000000'
  const failed = await newShard()
  await failed.object('a.png', '')
  await computeShard(failed.work)
  expect(await names(failed)).toEqual([`${records}.jsonl`])
  const ok = await newShard()
  await ok.image('a.png', 1)
  await computeShard(ok.work)
  expect(await names(ok)).toEqual([`${records}.input`, `${records}.jsonl`, `${records}.mag`])
})

test.each(['first', 'second'] as const)(
  'two workers with different faults on one shard leave files that fit the record file, whoever is %s',
  async (winner) => {
    const shard = await newShard()
    for (const [i, key] of ['a.png', 'b.png', 'c.png'].entries()) await shard.image(key, i + 1)
    const missing = (key: string) =>
      withFaults(shard.dataset, { get: async (asked) => (asked === key ? undefined : shard.dataset.get(asked)) })
    const works = { first: missing('a.png'), second: missing('b.png') }
    const loser = winner === 'first' ? 'second' : 'first'
    // The loser has put its maps and is about to put its record file when the winner does all of its work.
    const output = withFaults(shard.output, {
      put: async (key, bytes, options) => {
        if (key.endsWith('.jsonl')) await computeShard({ ...shard.work, dataset: works[winner] })
        return shard.output.put(key, bytes, options)
      },
    })
    expect(await computeShard({ ...shard.work, output, dataset: works[loser] })).toMatchObject({ written: false })
    const records = await shard.records()
    const isOk = records.map(({ status }) => status === 'ok')
    expect(isOk).toEqual(winner === 'first' ? [false, true, true] : [true, false, true])
    const { magnitudes, input } = await smallMaps(shard, samplesMark(isOk))
    expect(magnitudes?.length).toBe(2 * 2 * magnitudeBytes)
    const levels = isOk.flatMap((ok, i) => (ok ? [i + 1] : []))
    expect(input).toEqual(Buffer.concat(levels.map((level) => Buffer.alloc(784, level))))
  },
)

test('an input of one channel is kept as it is', async () => {
  const shard = await newShard({ input: { channels: 'gray', mean: [0], std: [1] } })
  await shard.image('a.png', 77)
  await computeShard(shard.work)
  expect((await smallMaps(shard)).input).toEqual(Buffer.alloc(784, 77))
})

test('gradients are written only when asked for', async () => {
  const shard = await newShard({ set: { gradients: 'float16' } })
  await shard.image('a.png', 7)
  await computeShard(shard.work)
  const [record] = await shard.records()
  if (record?.status !== 'ok') throw new Error('no ok record')
  const key = record.objectives['sum']?.gradient
  expect(key).toBe('gradients/sum/a.png.npy')
  const bytes = Buffer.from((await shard.output.get(`${shard.job.set}/${key}`))?.bytes ?? '')
  expect(bytes.toString('latin1', 0, 128)).toContain("'descr': '<f2', 'fortran_order': False, 'shape': (3, 8, 8)")
  // g / max|g| of a constant gradient is 1, which is 3c00 in half precision.
  expect(bytes.readUInt16LE(bytes.length - 2)).toBe(0x3c00)

  const without = await newShard()
  await without.image('a.png', 7)
  await computeShard(without.work)
  expect([...(await contents(without.output)).keys()].filter((name) => name.includes('gradients'))).toEqual([])
})

test('a network that sees gray gets gray, and its gradient has one channel', async () => {
  const shard = await newShard({
    set: { gradients: 'float32' },
    input: { channels: 'gray', mean: [0], std: [1], resize: 'letterbox' },
  })
  await shard.object('a.png', await picture(70))
  const lengths: number[] = []
  const explain = shard.engine.explain.bind(shard.engine)
  shard.engine.explain = (images) => {
    lengths.push(...images.map((image) => image.length))
    return explain(images)
  }
  await computeShard(shard.work)
  expect(lengths).toEqual([8 * 8])
  const [record] = await shard.records()
  if (record?.status !== 'ok') throw new Error('no ok record')
  // 10 × 6 pixels in a square: two rows of margin above and one below, each of them 1.25 pixels.
  expect(record.crop).toEqual([0, -1.2, 10, 8.4])
  const bytes = (await shard.output.get(`${shard.job.set}/gradients/sum/a.png.npy`))?.bytes ?? ''
  expect(Buffer.from(bytes).toString('latin1', 0, 128)).toContain(
    "'descr': '<f4', 'fortran_order': False, 'shape': (1, 8, 8)",
  )
})

test('a shard whose record file exists is skipped before any work', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  await computeShard(shard.work)
  const before = await contents(shard.output)
  const untouched = () => Promise.reject(new Error('work was done'))
  const done = await computeShard({ ...shard.work, engine: untouched, entries: untouched })
  expect(done).toMatchObject({ written: false, computed: 0, engine: null })
  expect(await contents(shard.output)).toEqual(before)
})

test('computing a shard again gives the same bytes under the same keys', async () => {
  const shard = await newShard({ set: { gradients: 'float32', logits: true } })
  for (let i = 0; i < 5; i++) await shard.image(`${i}_+1_+2_+3.png`, 11 * i)
  await shard.object('5.png', 'text')
  await computeShard(shard.work)
  const first = await contents(shard.output)
  await shard.output.delete(layout.recordFile(shard.job.set, shard.job.run, 0, 0))
  await computeShard({ ...shard.work, fetchConcurrency: 1 })
  expect(await contents(shard.output)).toEqual(first)
  expect(first.size).toBe(5 * 2 * 2 + 3)
})

test('a committed shard is left alone by a worker that computed it at the same time', async () => {
  const shard = await newShard()
  await shard.image('a.png', 1)
  const recordFile = layout.recordFile(shard.job.set, shard.job.run, 0, 0)
  // Another worker commits while the engine computes.
  shard.engine.before = async () => void (await shard.output.put(recordFile, 'theirs\n'))
  expect(await computeShard(shard.work)).toMatchObject({ written: false })
  const found = await contents(shard.output)
  expect(Buffer.from(found.get(recordFile) ?? '', 'hex').toString()).toBe('theirs\n')
  expect(found.has(layout.magnitudeFile(shard.job.set, shard.job.run, 0, 0))).toBe(false)
})

test('an image with numbers that are not finite fails alone, without a map', async () => {
  const shard = await newShard({ batch: 3 })
  for (const [i, key] of ['a.png', 'b.png', 'c.png'].entries()) await shard.image(key, i)
  shard.engine.corrupt = (explanation, index) => (index === 1 ? { notFinite: 'yaw' } : explanation)
  const done = await computeShard(shard.work)
  expect(done).toMatchObject({ written: true, computed: 3, failed: 1 })
  const records = await shard.records()
  expect(records.map(({ status }) => status)).toEqual(['ok', 'failed', 'ok'])
  expect(records[1]).toMatchObject({ key: 'b.png', code: 'not-finite' })
  const written = [...(await contents(shard.output)).keys()]
  expect(written.filter((name) => name.includes('b.png'))).toEqual([])
  const { magnitudes, input } = await smallMaps(shard, samplesMark([true, false, true]))
  expect([magnitudes?.length, input?.length]).toEqual([2 * 2 * magnitudeBytes, 2 * 784])
})

test('progress counts every record and never goes back', async () => {
  const shard = await newShard()
  for (let i = 0; i < 4; i++) await shard.image(`${i}.png`, i)
  await shard.object('4.png', '')
  const steps: { computed: number; failed: number }[] = []
  await computeShard({ ...shard.work, onStep: (done) => steps.push(done) })
  expect(steps.at(-1)).toEqual({ computed: 5, failed: 1 })
  expect(steps.every((step, i) => step.computed >= (steps[i - 1]?.computed ?? 0))).toBe(true)
})

test('at most so many objects are fetched at a time, and the engine is fed ahead', async () => {
  const shard = await newShard({ batch: 1 })
  for (let i = 0; i < 12; i++) await shard.image(`${i}.png`, i)
  let fetching = 0
  let most = 0
  let fetched = 0
  let aheadOfSecondBatch = 0
  const dataset = withFaults(shard.dataset, {
    get: async (key) => {
      most = Math.max(most, ++fetching)
      const found = await shard.dataset.get(key)
      fetching--
      fetched++
      return found
    },
  })
  shard.engine.before = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    if (shard.engine.batches.length === 2) aheadOfSecondBatch = fetched
  }
  await computeShard({ ...shard.work, dataset, fetchConcurrency: 3 })
  expect(most).toBeLessThanOrEqual(3)
  expect(aheadOfSecondBatch).toBeGreaterThanOrEqual(3)
})

test('the picture of a different size is resized and its crop noted', async () => {
  const shard = await newShard()
  await shard.object('wide.png', await picture(9, 20, 4))
  await computeShard(shard.work)
  expect(await shard.records()).toMatchObject([{ imageWidth: 20, imageHeight: 4, crop: [0, 0, 20, 4] }])
})

test.each([true, false])('EXIF orientation is applied as the result set says: %s', async (applyExifOrientation) => {
  const adapter = { name: 'filename', filenameAngles: ['yaw', 'pitch', 'roll'], applyExifOrientation } as const
  const shard = await newShard({ set: { adapter: { ...adapter, filenameAngles: [...adapter.filenameAngles] } } })
  const upright = await picture(9, 10, 6)
  await shard.object('a.jpg', await sharp(upright).withMetadata({ orientation: 6 }).jpeg().toBuffer())
  await computeShard(shard.work)
  const [record] = await shard.records()
  if (record?.status !== 'ok') throw new Error('no ok record')
  expect([record.imageWidth, record.imageHeight]).toEqual(applyExifOrientation ? [6, 10] : [10, 6])
})
