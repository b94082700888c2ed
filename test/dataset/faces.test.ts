import { describe, expect, it } from 'vitest'
import { imageKeyOf, type Sample } from '../../src/dataset/adapter.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { faceOf, faceSuffix, imageOfFace } from '../../src/dataset/faceKey.ts'
import { refuseKey } from '../../src/output/layout.ts'
import { compareKeys } from '../../src/storage/keyOrder.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'

const adapter = openAdapter({
  name: 'csv',
  applyExifOrientation: false,
  index: 'index.csv',
  columns: { face: 'person' },
})

const read = async (index: string, keys: readonly string[] = ['a.jpg', 'b.jpg'], after?: string): Promise<Sample[]> =>
  samplesOf(adapter, memoryStore({ ...Object.fromEntries(keys.map((key) => [key, key])), 'index.csv': index }), after)

describe('the key of a face', () => {
  it.each(['2', 'Anna B.', 'a/b', '../x', '#', 'ü\u{1F600}', '100 %', 'x.png', '\u0001\\'])('%j', (face) => {
    const key = `dir/a#b.jpg${faceSuffix(face)}`
    expect(imageOfFace(key)).toBe('dir/a#b.jpg')
    expect(faceOf(key.slice('dir/a#b.jpg'.length))).toBe(face)
    expect(refuseKey(key)).toBeUndefined()
  })

  it('can be made of half a surrogate pair, as JSON may hold it', () => {
    expect(faceOf(faceSuffix('\ud83d'))).toBe('\ufffd')
  })
})

describe('rows of a named face column', () => {
  it('are samples of their own, each with its box and label', async () => {
    const index = 'key,person,yaw,pitch,roll,x0,y0,x1,y1\na.jpg, right ,1,2,3,50,0,90,40\na.jpg,left,4,5,6,0,0,40,40\n'
    const samples = await read(index)
    expect(samples.map(({ key, etag, truth }) => [key, etag, truth?.face, truth?.pose?.yaw, truth?.box?.x0])).toEqual([
      ['a.jpg#left', samples[1]?.etag, 'left', 4, 0],
      ['a.jpg#right', samples[1]?.etag, 'right', 1, 50],
    ])
    expect(samples.map(({ key }) => imageKeyOf(adapter, key))).toEqual(['a.jpg', 'a.jpg'])
    expect(await adapter.read(memoryStore({}), samples[0]!)).toMatchObject({ face: 'left', pose: { yaw: 4 } })
  })

  it('fail where two of them name one face and say different things, and are taken once where they say the same', async () => {
    const samples = await read('key,person,frame\na.jpg,1,x\na.jpg,1,y\na.jpg,2,z\na.jpg,2,z\n')
    expect(samples.map(({ key }) => key)).toEqual(['a.jpg#1', 'a.jpg#2'])
    const refusal = { code: 'bad-label', message: expect.not.stringContaining('--columns') as string }
    await expect(adapter.read(memoryStore({}), samples[0]!)).rejects.toMatchObject(refusal)
    expect(samples[1]?.truth?.fault).toBeUndefined()
  })

  it('may name none, as is natural for an image with one face', async () => {
    const index = 'key,person\na.jpg, \nb.jpg,1\na.jpg#,\na.jpg,left\na.jpg#,left\n'
    const samples = await read(index, ['a.jpg', 'a.jpg#', 'b.jpg'])
    expect(samples.map(({ key, truth }) => [key, truth?.face])).toEqual([
      ['a.jpg#', ''],
      ['a.jpg##', ''],
      ['a.jpg##left', 'left'],
      ['a.jpg#left', 'left'],
      ['b.jpg#1', '1'],
    ])
    expect(samples.map(({ key }) => imageKeyOf(adapter, key))).toEqual(['a.jpg', 'a.jpg#', 'a.jpg#', 'a.jpg', 'b.jpg'])
    for (const { key, etag } of samples) {
      expect(etag).not.toBe('')
      expect(refuseKey(key)).toBeUndefined()
    }
    const json = await read('{"key":"a.jpg"}\n{"key":"b.jpg","person":1}\n')
    expect(json.map(({ key }) => key)).toEqual(['a.jpg#', 'b.jpg#1'])
  })

  it('fail where two of one image name none and say different things', async () => {
    const [sample, ...more] = await read('key,person,frame\na.jpg,,x\na.jpg,  ,y\n')
    expect([sample?.key, more]).toEqual(['a.jpg#', []])
    const refusal = { code: 'bad-label', message: expect.stringContaining('name each of them in "person"') as string }
    await expect(adapter.read(memoryStore({}), sample!)).rejects.toMatchObject(refusal)
  })

  it.each(['key\na.jpg\n', '{"key":"a.jpg"}\n'])('need the column: %j', async (index) => {
    await expect(read(index)).rejects.toMatchObject({ code: 'bad-index' })
  })

  it('may be JSON Lines, and a face a number', async () => {
    expect((await read('{"key":"b.jpg","person":2}\n')).map(({ key }) => key)).toEqual(['b.jpg#2'])
  })

  it('are handed over for an image that is not there', async () => {
    expect(await read('key,person\ngone.jpg,1\n')).toMatchObject([{ key: 'gone.jpg#1', etag: '' }])
  })

  it('mean nothing while the column is not named', async () => {
    const plain = openAdapter({ name: 'csv', applyExifOrientation: false, index: 'index.csv', columns: {} })
    const store = memoryStore({ 'a.jpg': 'a', 'index.csv': 'key,face,Face\na.jpg,1,1\na.jpg,2,2\n' })
    const samples = await samplesOf(plain, store)
    expect(samples).toMatchObject([{ key: 'a.jpg' }])
    // What differs is not read: the rows say the same.
    expect(samples[0]?.truth?.fault).toBeUndefined()
    expect(plain.overview?.().warnings).toEqual([expect.stringContaining('"face", "Face"')])
  })
})

describe('the order of faces', () => {
  // Every one a beginning of others, and of signs on both sides of `#`.
  const images = ['a', 'a!', 'a!b', 'a#', 'a#1', 'a#1#2', 'a#1.png', 'a$', 'a/b', 'aa', 'a\u{1F600}', 'a\uff5e', 'b']
  const faces = ['1', '2', '!', '~', '1.png', '\u{1F600}']
  const rows = images.flatMap((key) => faces.map((face) => ({ key, face, size: key.length })))
  const index = `key,person\n${rows.map(({ key, face }) => `${key},${face}`).join('\n')}\n`

  it('is that of their own keys, each with its own image', async () => {
    const samples = await read(index, images)
    const keys = samples.map(({ key }) => key)
    expect(keys).toEqual(keys.toSorted(compareKeys))
    expect(new Set(keys).size).toBe(rows.length)
    const store = memoryStore(Object.fromEntries(images.map((key) => [key, key])))
    for (const { key, etag } of samples) expect(etag).toBe((await store.head(imageOfFace(key)))?.etag)
  })

  it('is the same when it is taken up after any of them', async () => {
    const all = await read(index, images)
    for (const [at, { key }] of all.entries()) {
      if (at % 3 === 0) expect(await read(index, images, key)).toEqual(all.slice(at + 1))
    }
    expect(await read(index, images, 'zzz')).toEqual([])
  })
})
