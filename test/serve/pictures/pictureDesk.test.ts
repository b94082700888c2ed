import sharp from 'sharp'
import { beforeAll, expect, it } from 'vitest'
import { layout } from '../../../src/output/layout.ts'
import type { ResultSet } from '../../../src/output/resultSet.ts'
import { pictureKinds, type PictureKind } from '../../../src/serve/addresses.ts'
import { PictureDesk, type Picture, type PictureOrder } from '../../../src/serve/pictures/pictureDesk.ts'
import type { Store } from '../../../src/storage/store.ts'
import { wrapped } from '../../../src/storage/wrapped.ts'
import { resultSetOf } from '../../support/comparedOutput.ts'
import { memoryStore } from '../../support/memoryStore.ts'

const made = resultSetOf({})
const heads = [{ kind: 'value', output: 'fc_yaw', angle: 'yaw', sign: 1, unit: 'degrees' }]
const set: ResultSet = {
  ...made,
  network: { ...made.network, description: { ...(made.network.description as object), heads } },
}
const row = { row: 0, status: 'ok', crop: { x0: 1_000, y0: 0, x1: 2_000, y1: 500 } } as const
const [red, blue] = [
  [220, 30, 30],
  [30, 30, 220],
] as const

/** 2,000 × 500 pixels: red on the left, blue where the crop is. */
let image: Buffer
/** 32 × 32 pixels, no two of one colour beside each other. */
let mapPixels: Buffer
let map: Buffer

beforeAll(async () => {
  const half = (colour: readonly number[]) => Buffer.from(Array(1_000).fill(colour).flat())
  const line = Buffer.concat([half(red), half(blue)])
  const raw = { width: 2_000, height: 500, channels: 3 } as const
  image = await sharp(Buffer.concat(Array<Buffer>(500).fill(line)), { raw })
    .png()
    .toBuffer()
  mapPixels = Buffer.from(Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 89) % 256))
  map = await sharp(mapPixels, { raw: { width: 32, height: 32, channels: 3 } })
    .png()
    .toBuffer()
})

function orderOf(kind: PictureKind, changes: Partial<PictureOrder> & { readonly objects?: Stored } = {}): PictureOrder {
  const { objects = { image, map }, ...others } = changes
  return {
    dataset: memoryStore(objects.image === undefined ? {} : { 'a/b.jpg': objects.image }),
    output: memoryStore(
      objects.map === undefined ? {} : { [`${set.id}/${layout.map('yaw', 'a/b.jpg')}`]: objects.map },
    ),
    set,
    key: 'a/b.jpg',
    row,
    kind,
    objective: 'yaw',
    signal: new AbortController().signal,
    ...others,
  }
}

interface Stored {
  readonly image?: Uint8Array | string
  readonly map?: Uint8Array | string
}

async function pixelsOf({ bytes }: Picture) {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)]
  return { data, width: info.width, height: info.height, at }
}

const isNear = (colour: readonly number[], expected: readonly number[]) =>
  colour.every((value, i) => Math.abs(value - (expected[i] ?? 0)) < 12)

it('shows the whole image no larger than a page needs it', async () => {
  const drawn = await new PictureDesk().draw(orderOf('image'))
  const { width, height, at } = await pixelsOf(drawn)
  expect([drawn.contentType, width, height]).toEqual(['image/webp', 1_024, 256])
  expect([isNear(at(100, 100), red), isNear(at(900, 100), blue)]).toEqual([true, true])
})

it('shows what the network saw at the size at which it saw it', async () => {
  const { width, height, at } = await pixelsOf(await new PictureDesk().draw(orderOf('input')))
  expect([width, height]).toEqual([32, 32])
  expect([isNear(at(3, 16), blue), isNear(at(28, 16), blue)]).toEqual([true, true])
})

it('shows the levels of a map without loss', async () => {
  const drawn = await new PictureDesk().draw(orderOf('map'))
  const { data, width, height } = await pixelsOf(drawn)
  expect([drawn.contentType, width, height]).toEqual(['image/png', 32, 32])
  expect(data.equals(mapPixels)).toBe(true)
})

it('lays the magnitude over what the network saw', async () => {
  const desk = new PictureDesk()
  const [overlay, input] = [await pixelsOf(await desk.draw(orderOf('overlay'))), await desk.draw(orderOf('input'))]
  expect([overlay.width, overlay.height]).toEqual([32, 32])
  expect(overlay.data.equals((await pixelsOf(input)).data)).toBe(false)
})

it('draws the card of the report, of this one objective', async () => {
  const { width, height, at } = await pixelsOf(await new PictureDesk().draw(orderOf('card')))
  expect([width, height]).toEqual([3 * 144 + 2 * 3, 144])
  expect(isNear(at(70, 70), blue)).toBe(true)
})

it('never hands on what is stored', async () => {
  const comment = Buffer.from('<script>alert(1)</script>')
  const objects = { image: Buffer.concat([image, comment]), map: Buffer.concat([map, comment]) }
  for (const kind of pictureKinds) {
    const { bytes } = await new PictureDesk().draw(orderOf(kind, { objects }))
    expect(Buffer.from(bytes).includes(comment)).toBe(false)
  }
})

it.each<[string, Partial<Record<PictureKind, string>>, () => Stored & { readonly limit?: number }]>([
  ['an image that is gone', { image: 'vanished', card: 'vanished', overlay: 'vanished' }, () => ({ map })],
  ['a map that is gone', { map: 'vanished', card: 'vanished', overlay: 'vanished' }, () => ({ image })],
  ['text', { image: 'not-an-image', map: 'not-an-image' }, () => ({ image: 'some text', map: '<svg/>' })],
  ['nothing', { image: 'empty-object', map: 'empty-object' }, () => ({ image: '', map: '' })],
  ['half of an image', { image: 'truncated-image' }, () => ({ image: image.subarray(0, image.length / 2) })],
  ['more pixels than the set allows', { image: 'too-many-pixels' }, () => ({ image, map, limit: 999_999 })],
  ['a map of more pixels', { map: 'too-many-pixels', card: 'too-many-pixels' }, () => ({ image, map, limit: 1_023 })],
])('says of %s that it cannot be had', async (_, codes, stored) => {
  const { limit = set.options.maxPixels, ...objects } = stored()
  const limited: ResultSet = { ...set, options: { ...set.options, maxPixels: limit } }
  const desk = new PictureDesk()
  for (const [kind, code] of Object.entries(codes)) {
    const order = orderOf(kind as PictureKind, { objects, set: limited })
    await expect(desk.draw(order)).rejects.toMatchObject({ name: 'SampleError', code })
  }
})

it('has no map of a failed image, whatever lies there', async () => {
  const failed = { ...row, status: 'failed' } as const
  await expect(new PictureDesk().draw(orderOf('map', { row: failed }))).rejects.toMatchObject({ code: 'vanished' })
  await expect(new PictureDesk().draw(orderOf('image', { row: failed }))).resolves.toBeDefined()
})

it('does not fetch what is too large to be an image', async () => {
  const dataset = memoryStore({ 'a/b.jpg': image })
  const huge = wrapped(dataset, {
    head: async (key) => {
      const info = await dataset.head(key)
      return info === undefined ? undefined : { ...info, sizeBytes: 2 ** 31 }
    },
  })
  await expect(new PictureDesk().draw(orderOf('image', { dataset: huge }))).rejects.toMatchObject({
    code: 'too-many-bytes',
  })
  expect(dataset.asked).toEqual(['head a/b.jpg'])
})

it('draws a bounded number at once, and nothing that nobody waits for any more', async () => {
  const desk = new PictureDesk({ atOnce: 2 })
  const asked: string[] = []
  const answers: (() => void)[] = []
  const slow = (name: string): Store => {
    const store = memoryStore({ 'a/b.jpg': image })
    const head: Store['head'] = async (key) => {
      asked.push(name)
      await new Promise<void>((resolve) => answers.push(resolve))
      return store.head(key)
    }
    return wrapped(store, { head })
  }
  const leaving = new AbortController()
  const order = (name: string, signal?: AbortSignal) =>
    desk.draw(orderOf('image', { dataset: slow(name), ...(signal === undefined ? {} : { signal }) }))
  const [first, second, third, fourth] = [order('1'), order('2'), order('3', leaving.signal), order('4')]
  await expect.poll(() => asked).toEqual(['1', '2'])
  leaving.abort(new Error('scrolled on'))
  answers[0]?.()
  await expect(third).rejects.toThrow('scrolled on')
  await expect.poll(() => asked).toEqual(['1', '2', '4'])
  for (const answer of answers) answer()
  expect(await Promise.all([first, second, fourth])).toHaveLength(3)
})

it('draws images that are each as large as all memory for decoding, one after the other', async () => {
  const desk = new PictureDesk({ decodingBytes: 1 })
  const orders = (['card', 'overlay', 'card', 'map', 'image'] as const).map((kind) => desk.draw(orderOf(kind)))
  expect(await Promise.all(orders)).toHaveLength(5)
  const broken = orderOf('card', { objects: { image: image.subarray(0, image.length / 2), map } })
  await expect(desk.draw(broken)).rejects.toMatchObject({ code: 'truncated-image' })
  expect(await desk.draw(orderOf('card'))).toBeDefined()
})
