import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { putReportPictures, readReportPictures } from '../../src/output/reportPictures.ts'
import { jsonForScript } from '../../src/report/escaping.ts'
import { fitGallery, type DrawnSample } from '../../src/report/fitGallery.ts'
import { KeptPictures } from '../../src/report/keptPictures.ts'
import { memoryOutput } from '../support/memoryOutput.ts'
import { silent } from '../support/redis.ts'

let state = 1
const noise = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 24

async function thumbnail(pixel: () => number, [width, height]: readonly [number, number]): Promise<Uint8Array> {
  const pixels = Uint8Array.from({ length: width * height * 3 }, pixel)
  return await sharp(pixels, { raw: { width, height, channels: 3 } })
    .webp({ quality: 68 })
    .toBuffer()
}

function samples(count: number, bytes: Uint8Array): DrawnSample[] {
  const angles = { estimate: [1, 2, 3], label: [1, 2, 3], error: [0, 0, 0] }
  const facts = { top: null, mean: 1, notes: [] }
  return Array.from({ length: count }, (_, order) => ({
    key: `k${order}.png`,
    order,
    ...angles,
    ...facts,
    worst: order % 2 === 0,
    spaced: order % 2 === 1,
    thumbnail: { picture: bytes },
  }))
}

describe('the gallery', () => {
  it('keeps its thumbnails as they were drawn where all fit', async () => {
    const bytes = await thumbnail(() => 120, [452, 179])
    const { samples: fitted, leftOut } = await fitGallery(samples(400, bytes), 1_900_000)
    expect([fitted.length, leftOut]).toEqual([400, 0])
    expect(fitted[7]?.picture).toBe(`data:image/webp;base64,${Buffer.from(bytes).toString('base64')}`)
  })

  it('makes thumbnails of noise coarser and smaller until all of them fit, and leaves none out', async () => {
    const bytes = await thumbnail(noise, [452, 179])
    // A tenth of the page's own numbers.
    const { samples: fitted, leftOut } = await fitGallery(samples(40, bytes), 190_000)
    expect([fitted.length, leftOut]).toEqual([40, 0])
    expect(JSON.stringify(fitted).length).toBeLessThanOrEqual(190_000)
    const picture = Buffer.from(fitted[0]?.picture.split(',')[1] ?? '', 'base64')
    const { width, height, format } = await sharp(picture).metadata()
    expect(format).toBe('webp')
    expect(width / height).toBeCloseTo(452 / 179, 1)
  })

  it('loses no more than it must', async () => {
    const bytes = await thumbnail(noise, [90, 36])
    const full = samples(40, bytes)
    const length = JSON.stringify((await fitGallery(full, Infinity)).samples).length
    const fitted = JSON.stringify((await fitGallery(full, 0.9 * length)).samples).length
    expect(fitted).toBeGreaterThan(0.6 * length)
    expect(fitted).toBeLessThanOrEqual(0.9 * length)
  })

  it('shortens its notes before its pictures where they would fill it', async () => {
    const bytes = await thumbnail(noise, [90, 36])
    const noted = samples(20, bytes).map((sample) => ({ ...sample, notes: ['label '.repeat(300), 'short'] }))
    const { samples: fitted } = await fitGallery(noted, 90_000)
    expect(fitted.map(({ notes }) => notes.map((note) => note.length))).toEqual(fitted.map(() => [120, 5]))
    expect(fitted[0]?.picture).toBe(`data:image/webp;base64,${Buffer.from(bytes).toString('base64')}`)
  })

  it('leaves out evenly spaced samples, evenly, where the longest keys leave no room for all, and none of the worst', async () => {
    const bytes = await thumbnail(noise, [90, 36])
    // Each character takes six in a script.
    const long = samples(40, bytes).map((sample) => ({ ...sample, key: '<'.repeat(790) + sample.key }))
    const { samples: fitted, leftOut } = await fitGallery(long, 170_000)
    expect(jsonForScript(fitted).length).toBeLessThanOrEqual(170_000)
    expect(fitted.filter(({ worst }) => worst)).toHaveLength(20)
    const orders = fitted.filter(({ spaced }) => spaced).map(({ order }) => order)
    expect(leftOut).toBe(20 - orders.length)
    expect(orders.length).toBeGreaterThan(8)
    expect(orders.length).toBeLessThan(19)
    const steps = orders.slice(1).map((order, i) => order - (orders[i] ?? 0))
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(2)
  })

  it('takes coarser thumbnails from those kept, and keeps what it encodes', async () => {
    const bytes = await thumbnail(noise, [90, 36])
    const named = samples(40, bytes).map((sample) => ({ ...sample, thumbnail: { picture: bytes, name: sample.key } }))
    // The last has a placeholder in it.
    const drawn = [...named.slice(0, -1), ...samples(40, bytes).slice(-1)]
    const budget = 0.9 * jsonForScript((await fitGallery(drawn, Infinity)).samples).length
    const output = memoryOutput()
    const options = { output, set: 'set', version: 1, log: silent }
    const kept = await KeptPictures.open(options)
    const fitted = await fitGallery(drawn, budget, kept)
    expect(fitted).toEqual(await fitGallery(drawn, budget))
    await kept.save()
    const pictures = [...((await readReportPictures(output, 'set')) ?? [])]
    expect(pictures.length).toBeGreaterThanOrEqual(39)
    // What is found there is not encoded again, whatever it is.
    await putReportPictures(output, 'set', new Map(pictures.map(([name], i) => [name, Buffer.from(`picture ${i}`)])))
    const { samples: taken } = await fitGallery(drawn, budget, await KeptPictures.open(options))
    const texts = taken.map(({ picture }) => Buffer.from(picture.split(',')[1] ?? '', 'base64').toString())
    expect(texts.filter((text) => /^picture \d+$/.test(text))).toHaveLength(39)
    expect(taken.at(-1)?.picture).toBe(fitted.samples.at(-1)?.picture)
  })

  it('is empty without samples', async () => {
    expect(await fitGallery([], 100)).toEqual({ samples: [], leftOut: 0 })
  })
})
