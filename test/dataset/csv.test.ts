import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Sample } from '../../src/dataset/adapter.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { fingerprint } from '../../src/output/manifest.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'

const adapter = (columns: Record<string, string> = {}, index = 'index.csv') =>
  openAdapter({ name: 'csv', applyExifOrientation: false, index, columns })

async function read(index: string | Uint8Array, columns?: Record<string, string>): Promise<Sample[]> {
  return samplesOf(adapter(columns), memoryStore({ 'a.png': 'a', 'b.png': 'b', 'index.csv': index }))
}

const nothing = { pose: null, box: null, subject: null, sequence: null, frame: null }

describe('an index', () => {
  it('tells pose, box and names where it has them', async () => {
    const header = 'key,yaw,pitch,roll,x0,y0,x1,y1,subject,frame,other\n'
    const [a, b] = await read(`${header}b.png,,,,1,2,3.5,4,,,x\na.png,-1,2.5,+3,,,,,Anna,7,\n`)
    expect(a).toMatchObject({ key: 'a.png', sizeBytes: 1, companions: [] })
    expect(a?.truth).toEqual({ ...nothing, pose: { yaw: -1, pitch: 2.5, roll: 3 }, subject: 'Anna', frame: '7' })
    expect(b?.truth).toEqual({ ...nothing, box: { x0: 1, y0: 2, x1: 3.5, y1: 4 } })
    expect(await adapter().read(memoryStore({}), b!)).toEqual(b?.truth)
  })

  it('may be JSON Lines', async () => {
    const [a, b] = await read('{"key":"b.png"}\n\n{"key":"a.png","yaw":1,"pitch":"2","roll":-3,"x0":null}\n')
    expect([a?.truth, b?.truth]).toEqual([{ ...nothing, pose: { yaw: 1, pitch: 2, roll: -3 } }, nothing])
  })

  it('may call its columns otherwise', async () => {
    const [a] = await read('image,ry,rx,rz,key\na.png,1,2,3,x\n', { key: 'image', yaw: 'ry', pitch: 'rx', roll: 'rz' })
    expect(a).toMatchObject({ key: 'a.png', truth: { pose: { yaw: 1, pitch: 2, roll: 3 } } })
  })

  it.each([
    ['\ufeffkey;yaw;pitch;roll\r\na.png;1,5;2;3\r\n', 'index.csv is separated by semicolons and must be by commas'],
    ['key\tyaw\na.png\t1\n', 'is separated by tabs'],
    ['image,a;b\na.png,1\n', 'has no column "key" (it has image, a;b)'],
  ])('%j is refused for how it is separated', async (index, says) => {
    await expect(read(index)).rejects.toMatchObject({
      code: 'bad-index',
      message: expect.stringContaining(says) as string,
    })
  })

  it('may begin with a byte order mark, as spreadsheets write it', async () => {
    expect((await read('\ufeffkey\r\na.png\r\n')).map(({ key }) => key)).toEqual(['a.png'])
  })

  it('may lie elsewhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'index of '))
    try {
      writeFileSync(join(folder, 'i.csv'), 'key\na.png\n')
      const store = memoryStore({ 'a.png': 'a' })
      const samples = await samplesOf(adapter({}, pathToFileURL(join(folder, 'i.csv')).href), store)
      expect(samples.map(({ key }) => key)).toEqual(['a.png'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.each([
    ['', 'is empty'],
    ['image\na.png\n', 'has no column "key" (it has image)'],
    ['key,yaw\na.png,1\n', 'has no column "pitch"'],
    ['key,x0,y0,x1\na.png,1,1,2\n', 'has no column "y1"'],
    ['key,key\na.png,a.png\n', 'two columns called "key"'],
    ['key,other\na.png\n', 'line 2 has 1 cells, but the header has 2'],
    ['key,other\n,x\n', 'line 2 has no key'],
    ['key,other\n"a.png,x\n', 'never closed'],
    ['{"key":"a.png"}\n["a.png"', 'line 2 is no JSON object'],
    [Buffer.from([0x6b, 0xff, 0x0a]), 'is not in UTF-8'],
  ])('%j is refused as a whole', async (index, message) => {
    await expect(read(index)).rejects.toMatchObject({ code: 'bad-index', message: expect.stringContaining(message) })
  })

  it('that is not there is named', async () => {
    const wanted = { code: 'bad-index', message: expect.stringContaining('memory://dataset/i.csv does not exist') }
    await expect(samplesOf(adapter({}, 'i.csv'), memoryStore({}))).rejects.toMatchObject(wanted)
    // The tests run where it lies, as people do with a table beside the folder of images.
    const here = expect.stringMatching(
      /memory:\/\/dataset\/package\.json does not exist; .*; did you mean \.\/package\.json\?$/,
    )
    await expect(samplesOf(adapter({}, 'package.json'), memoryStore({}))).rejects.toMatchObject({ message: here })
    await expect(read('key\na.png\n', { frame: 'nr' })).rejects.toMatchObject({ code: 'bad-index' })
  })

  it.each(['x,2,3,,,,', '1,2,,,,,', '361,2,3,,,,', 'NaN,2,3,,,,', '0x1,2,3,,,,', ',,,1,2,3,', ',,,5,2,3,4', ',,,,,,1'])(
    'with a row %s fails that sample alone',
    async (cells) => {
      const [a, b] = await read(`key,yaw,pitch,roll,x0,y0,x1,y1\na.png,${cells}\nb.png,1,2,3,,,,\n`)
      await expect(adapter().read(memoryStore({}), a!)).rejects.toMatchObject({
        code: 'bad-label',
        message: expect.stringContaining('Line 2'),
      })
      expect(b?.truth?.pose).toEqual({ yaw: 1, pitch: 2, roll: 3 })
    },
  )
})

describe('rows and listing', () => {
  it('are joined by key, in the order of its bytes', async () => {
    const keys = ['\u{1f600}.png', '\uff5e.png', 'b/c.png', 'b.png']
    const store = memoryStore({
      ...Object.fromEntries([...keys, 'x.png'].map((key) => [key, key])),
      'index.csv': `key\n${[...keys, 'gone.png'].join('\n')}\n`,
    })
    const all = await samplesOf(adapter(), store)
    expect(all.map(({ key }) => key)).toEqual(['b.png', 'b/c.png', 'gone.png', '\uff5e.png', '\u{1f600}.png'])
    // A worker will not find it, and that is its record.
    expect(all[2]).toEqual({ key: 'gone.png', etag: '', sizeBytes: 0, companions: [], truth: nothing })
    for (const [index, { key }] of all.entries()) {
      expect(await samplesOf(adapter(), store, key)).toEqual(all.slice(index + 1))
    }
  })

  it('take a repeated row once, and no side where two differ', async () => {
    const [a, b, ...more] = await read('key,frame\na.png,1\nb.png,2\na.png,1\nb.png,3\nb.png,2\n')
    expect(more).toEqual([])
    expect(a?.truth).toEqual({ ...nothing, frame: '1' })
    await expect(adapter().read(memoryStore({}), b!)).rejects.toMatchObject({
      code: 'bad-label',
      message: expect.stringContaining('3 rows'),
    })
  })

  it('make a sample new when what is read of its row changes, and only then', async () => {
    const print = async (row: string) => fingerprint((await read(`key,yaw,pitch,roll,other\n${row}\n`))[0]!)
    const before = await print('a.png,1,2,3,x')
    expect(await print('a.png,1,2,4,x')).not.toBe(before)
    expect(await print('a.png,1.0,2,3,y')).toBe(before)
  })

  it('may be many', async () => {
    const rows = Array.from({ length: 5000 }, (_, n) => `i${(n * 7919) % 5000}.png,${n % 90},0,0`)
    const samples = await read(`key,yaw,pitch,roll\n${rows.join('\n')}\n`)
    expect(samples.length).toBe(5000)
    expect(samples.find(({ key }) => key === 'i4444.png')?.truth?.pose?.yaw).toBe(
      Array.from({ length: 5000 }, (_, n) => n).find((n) => (n * 7919) % 5000 === 4444)! % 90,
    )
  })
})
