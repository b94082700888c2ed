import { describe, expect, it } from 'vitest'
import type { Sample } from '../../src/dataset/adapter.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { requireClass } from '../../src/dataset/classIndex.ts'
import { noTruth } from '../../src/dataset/images.ts'
import { fingerprint } from '../../src/output/manifest.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'

const csv = (columns: { class?: string; face?: string }) =>
  openAdapter({ name: 'csv', applyExifOrientation: false, index: 'index.csv', columns })
const adapter = csv({ class: 'category' })

const store = (index: string) => memoryStore({ 'a.jpg': 'a', 'b.jpg': 'b', 'c.jpg': 'c', 'index.csv': index })
const read = (index: string, by = adapter): Promise<Sample[]> => samplesOf(by, store(index))
const classes = async (index: string) => (await read(index)).map(({ truth }) => truth?.class)

describe('a named column of classes', () => {
  it('gives each image its class, also where the index is JSON Lines or was written with decimals', async () => {
    expect(await classes('key,category\na.jpg,3\nb.jpg, 0 \nc.jpg,2.0\n')).toEqual([3, 0, 2])
    expect(await classes('{"key":"a.jpg","category":3}\n{"key":"b.jpg","category":"4"}\n{"key":"c.jpg"}\n')).toEqual([
      3,
      4,
      undefined,
    ])
  })

  it('costs nothing else where a cell is blank or no index: what is in it is for who needs the class', async () => {
    const samples = await read('key,category,yaw,pitch,roll\na.jpg, ,1,2,3\nb.jpg,cat ,1,2,3\nc.jpg,-1,1,2,3\n')
    expect(samples.map(({ truth }) => [truth?.class, truth?.fault, truth?.pose?.yaw])).toEqual([
      [undefined, undefined, 1],
      ['cat', undefined, 1],
      ['-1', undefined, 1],
    ])
    expect(samples[0]?.truth).not.toHaveProperty('class')
    expect(await adapter.read(memoryStore({}), samples[1]!)).toMatchObject({ class: 'cat', pose: { yaw: 1 } })
    expect(await classes('{"key":"a.jpg","category":true}\n{"key":"b.jpg","category":1e300}\n')).toEqual([
      'true',
      '1e+300',
    ])
  })

  it('makes a sample new whose class has changed', async () => {
    const print = async (index: string) => fingerprint((await read(index))[0]!)
    const before = await print('key,category\na.jpg,3\n')
    expect(await print('key,category,quality\na.jpg,3.0,good\n')).toBe(before)
    expect(await print('key,category\na.jpg,4\n')).not.toBe(before)
    expect(await print('key,category\na.jpg,\n')).not.toBe(before)
  })

  it('belongs to a face where rows are faces, and two rows of one that differ in it contradict each other', async () => {
    const faces = csv({ class: 'category', face: 'person' })
    const rows = 'key,person,category\na.jpg,1,5\na.jpg,2,6\nb.jpg,1,5\nb.jpg,1,6\n'
    const samples = await read(rows, faces)
    expect(samples.map(({ key, truth }) => [key, truth?.class, truth?.faultOf])).toEqual([
      ['a.jpg#1', 5, undefined],
      ['a.jpg#2', 6, undefined],
      ['b.jpg#1', 5, 'rows'],
    ])
  })

  it.each(['key,Kategorie\na.jpg,1\n', '{"key":"a.jpg"}\n'])('must be there: %j', async (index) => {
    await expect(read(index)).rejects.toMatchObject({ code: 'bad-index' })
  })

  it('is nothing while it is not named, whatever it is called', async () => {
    const [sample] = await read('key,class,Class\na.jpg,1,2\n', csv({}))
    expect(sample?.truth).toEqual(noTruth)
  })
})

describe('the class of a sample', () => {
  it('is its index', () => {
    expect(requireClass({ ...noTruth, class: 9 }, 10)).toBe(9)
  })

  it.each([
    [undefined, 'the index names no class for the image'],
    ['cat', 'the index names the class "cat", which is no number'],
    [10, 'the index names class 10, which the network does not have'],
  ])('is refused as %j, with the classes that there are', (given, what) => {
    const refused = expect.objectContaining({
      name: 'SampleError',
      code: 'bad-label',
      message: expect.stringContaining(`${what}`) as string,
    }) as Error
    expect(() => requireClass({ ...noTruth, class: given }, 10)).toThrow(refused)
    expect(() => requireClass({ ...noTruth, class: given }, 10)).toThrow('whole numbers from 0 to 9')
  })
})
