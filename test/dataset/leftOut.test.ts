import { expect, it } from 'vitest'
import { openAdapter, type AdapterOptions } from '../../src/dataset/adapters.ts'
import { LeftOutTally, leftOutText } from '../../src/dataset/leftOut.ts'
import { requireImages } from '../../src/dataset/requireImages.ts'
import { wrapped } from '../../src/storage/wrapped.ts'
import { memoryStore } from '../support/memoryStore.ts'

const images: AdapterOptions = {
  name: 'images',
  filenameAngles: ['yaw', 'pitch', 'roll'],
  applyExifOrientation: false,
}

/** What the adapter leaves out of these keys, and of names that no key can be. */
async function leftOutOf(options: AdapterOptions, keys: readonly string[], unnamed: readonly string[] = []) {
  const store = memoryStore(Object.fromEntries(keys.map((key) => [key, key])))
  const dataset = wrapped(store, {
    async *list(o = {}) {
      if (unnamed.length > 0) o.onUnnamed?.('', unnamed)
      yield* store.list(o)
    },
  })
  const tally = new LeftOutTally()
  for await (const _sample of openAdapter(options).samples(dataset, undefined, tally));
  return tally.counts()
}

const keys = ['a.jpg', 'b.heic', 'c/d.HEIC', 'e', 'f.txt', 'g.mat', 'README', 'h.json', '.i.heic', 'j/.k/l.heic']

it.each([images, { name: 'aflw2000', applyExifOrientation: false, box: 'hopenet' }] as const)(
  '$name tells what may be an image, by reason',
  async (options) => {
    expect(await leftOutOf(options, keys, ['\ufffd.jpg', '\ufffd.png', '\ufffd.txt'])).toEqual({
      '.heic': { count: 2, example: 'b.heic' },
      name: { count: 2, example: '\ufffd.jpg' },
      none: { count: 1, example: 'e' },
    })
    expect(await leftOutOf(options, ['a.jpg', 'a.mat', 'b.jfif'])).toEqual({})
  },
)

it('a glob asks for what it matches, and nothing else is missing', async () => {
  expect(await leftOutOf({ ...images, glob: 'c/**' }, keys)).toEqual({ '.heic': { count: 1, example: 'c/d.HEIC' } })
})

it('biwi has fixed names, of which only folders may be no UTF-8', async () => {
  const biwi = { name: 'biwi', applyExifOrientation: false, labels: 'depth', margin: 0.1, boxes: null } as const
  const frame = (folder: string) => `${folder}/01/frame_00003_rgb.png`
  expect(await leftOutOf(biwi, keys, [frame('\ufffd'), '\ufffd/01/frame_00003_pose.txt'])).toEqual({
    name: { count: 1, example: frame('\ufffd') },
  })
})

it('is said in one line', () => {
  expect(leftOutText({})).toBeUndefined()
  expect(leftOutText({ '.heic': { count: 1_200, example: 'a.heic' }, name: { count: 1, example: '\ufffd.jpg' } })).toBe(
    '1,201 files: 1,200 .heic (such as a.heic), 1 with a name that is not UTF-8 (\ufffd.jpg)',
  )
  expect(leftOutText({ link: { count: 1, example: 'more' } })).toBe('1 file: 1 link that leads nowhere (more)')
  const many = { link: { count: 2, example: 'more' }, name: { count: 2, example: '\ufffd' } }
  expect(leftOutText(many)).toBe(
    '4 files: 2 links that lead nowhere (such as more), 2 with names that are not UTF-8 (such as \ufffd)',
  )
})

it('is said of a dataset that holds no other image', async () => {
  const store = memoryStore({ 'a.heic': 'x', 'b.heic': 'x' })
  await expect(requireImages(openAdapter(images), store, 1)).rejects.toMatchObject({
    code: 'empty-dataset',
    message: expect.stringContaining('reads (left out: 2 files: 2 .heic (such as a.heic)); check'),
  })
})
