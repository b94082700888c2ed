import { describe, expect, it } from 'vitest'
import type { Adapter, Sample } from '../../src/dataset/adapter.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { poseInName } from '../../src/dataset/posedName.ts'
import { readTruth } from '../../src/dataset/unusableLabel.ts'
import type { ListOptions, ObjectInfo, Store } from '../../src/storage/store.ts'

const inOrder = ['yaw', 'pitch', 'roll'] as const

function adapter(name: 'images' | 'filename', filenameAngles: ('yaw' | 'pitch' | 'roll')[] = [...inOrder]): Adapter {
  return openAdapter({ name, filenameAngles, applyExifOrientation: false })
}

/** A store that can only be listed; anything else a listing should not need. */
function listing(
  keys: Iterable<string>,
  seen: { options?: ListOptions | undefined; given: number } = { given: 0 },
): Store {
  const refuse = () => {
    throw new Error('not asked for')
  }
  return {
    uri: 'memory://dataset/',
    endpoint: undefined,
    async *list(options) {
      seen.options = options
      for (const key of keys) {
        const { after } = options ?? {}
        if (after !== undefined && Buffer.compare(Buffer.from(key), Buffer.from(after)) <= 0) continue
        seen.given++
        yield { key, etag: `etag of ${key}`, sizeBytes: key.length } satisfies ObjectInfo
      }
    },
    folders: refuse,
    head: refuse,
    get: refuse,
    put: refuse,
    write: refuse,
    delete: refuse,
    removeLeftovers: refuse,
    conditionalPut: refuse,
    check: refuse,
    close: refuse,
  }
}

async function keysOf(samples: AsyncIterable<Sample>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of samples) keys.push(key)
  return keys
}

function sample(key: string): Sample {
  return { key, etag: 'e', sizeBytes: 1, companions: [] }
}

describe.each(['images', 'filename'] as const)('the listing of %s', (name) => {
  it('takes image suffixes in any case, in sub-folders too, and nothing else', async () => {
    const images = [
      '0.AVIF',
      'A.JPG',
      'a b/ü+%.PnG',
      'a/b/c.jpeg',
      'a/b/d.webp',
      'a/e.tif',
      'a/f.TIFF',
      'g.gif',
      'h.bmp',
      'i.tar.jpg',
      'j.JFIF',
      'k.jpe',
    ]
    const others = [
      '',
      'a.jpg/',
      'a.png.txt',
      'jpg',
      'ajpg',
      'a.mat',
      'frame_00003_pose.txt',
      'rgb.cal',
      'x.svg',
      'a/b/',
    ]
    const keys = await keysOf(adapter(name).samples(listing([...images, ...others])))
    expect(keys).toEqual(images)
  })

  it('passes over hidden files and folders, at any depth', async () => {
    const hidden = ['.a.jpg', '.cache/a.jpg', 'a/.thumbs/b.jpg', 'a/._b.jpg', '__MACOSX/._c.png']
    expect(await keysOf(adapter(name).samples(listing([...hidden, 'a.b/c.jpg'])))).toEqual(['a.b/c.jpg'])
  })

  it('hands over what the store said', async () => {
    const first = await adapter(name)
      .samples(listing(['x/a.png']))
      [Symbol.asyncIterator]()
      .next()
    expect(first.value).toEqual({ key: 'x/a.png', etag: 'etag of x/a.png', sizeBytes: 7, companions: [] })
  })

  it('goes on after a key, by the store’s own means', async () => {
    const seen: { options?: ListOptions; given: number } = { given: 0 }
    const keys = ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']
    expect(await keysOf(adapter(name).samples(listing(keys, seen), 'b.jpg'))).toEqual(['c.jpg', 'd.jpg'])
    expect(seen.options).toMatchObject({ after: 'b.jpg' })
    expect(seen.given).toBe(2)
  })

  it('is read as it comes, not ahead', async () => {
    const seen = { given: 0 }
    const endless = (function* () {
      for (let index = 0; ; index++) yield `${String(index).padStart(9, '0')}.jpg`
    })()
    for await (const { key } of adapter(name).samples(listing(endless, seen))) if (key === '000000004.jpg') break
    expect(seen.given).toBe(5)
  })
})

describe('images', () => {
  it('know no truth, whatever their names say', async () => {
    const truth = await adapter('images').read(listing([]), sample('BIWI00009409_-17_+1_+17.png'))
    expect(truth).toEqual({ pose: null, box: null, subject: null, sequence: null, frame: null })
  })
})

describe('filename', () => {
  it('reads frame and angles', async () => {
    const truth = await adapter('filename').read(listing([]), sample('some/folder/BIWI00009409_-17_+1_+17.png'))
    expect(truth).toEqual({
      pose: { yaw: -17, pitch: 1, roll: 17 },
      box: null,
      subject: null,
      sequence: null,
      frame: '00009409',
    })
  })

  it('takes the angles in the order it is told', () => {
    expect(poseInName('BIWI00009409_-17_+1_+18.png', ['roll', 'yaw', 'pitch'])).toEqual({
      roll: -17,
      yaw: 1,
      pitch: 18,
    })
  })

  it.each([
    ['x1_+0_-0_+0.jpeg', { yaw: 0, pitch: 0, roll: 0 }],
    ['12_-17.25_+1.5_-90.JPG', { yaw: -17.25, pitch: 1.5, roll: -90 }],
    ['a_1_+1_+2_+3/b2_+180_-180_+4.png', { yaw: 180, pitch: -180, roll: 4 }],
    ['/abs/olute/v2_3_-1_-2_-3.png', { yaw: -1, pitch: -2, roll: -3 }],
  ])('%s', (key, pose) => {
    expect(poseInName(key, inOrder)).toEqual(pose)
  })

  it.each([
    'IMG_2024_01_02.jpg',
    'BIWI00009409_17_+1_+17.png',
    'BIWI00009409_+17_1_+17.png',
    'BIWI00009409_+17_+1_17.png',
    'BIWI00009409_-17_+1.png',
    'BIWI00009409_-17_+1_+17_+3.png.txt.',
    'BIWI_-17_+1_+17.png',
    'BIWI00009409_-17_+1_+17',
    'BIWI00009409_-17_+1_+17.png/other.png',
    'BIWI00009409_-17_+1_+x.png',
    'BIWI00009409_-17_+1e9_+17.png',
  ])('%s is a plain image without a label', async (key) => {
    expect(poseInName(key, inOrder)).toBeNull()
    const truth = await adapter('filename').read(listing([]), sample(key))
    expect(truth).toEqual({ pose: null, box: null, subject: null, sequence: null, frame: null })
  })
})

describe('an angle that can be none in a file name', () => {
  it('costs the label, not the map', async () => {
    const read = readTruth(adapter('filename'), listing([]), sample('a/7_+361_+1_+17.png'))
    expect(await read).toEqual({
      truth: { pose: null, box: null, subject: null, sequence: null, frame: '7' },
      labelFault: expect.stringContaining('±360°'),
    })
    expect(poseInName('7_+361_+1_+17.png', inOrder)).toBeNull()
    expect(poseInName('7_+360_-181_+17.png', inOrder)).toEqual({ yaw: 360, pitch: -181, roll: 17 })
  })
})

describe.each(['images', 'filename'] as const)('a glob for %s', (name) => {
  it.each([
    ['*.png', ['a.png']],
    ['**/*.png', ['a.png', 'b/c.png', 'b/d/e.png']],
    ['b/**', ['b/c.png', 'b/d/e.png', 'b/f.jpg']],
    ['{a,b/?}.png', ['a.png', 'b/c.png']],
    ['x', []],
  ])('%s', async (glob, wanted) => {
    const options = { name, filenameAngles: [...inOrder], applyExifOrientation: false, glob }
    const keys = ['a.png', 'b/.h.png', 'b/c.png', 'b/d/e.png', 'b/d/e.txt', 'b/f.jpg']
    expect(await keysOf(openAdapter(options).samples(listing(keys)))).toEqual(wanted)
  })
})
