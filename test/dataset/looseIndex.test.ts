import { describe, expect, it } from 'vitest'
import type { Sample } from '../../src/dataset/adapter.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { readTruth } from '../../src/dataset/unusableLabel.ts'
import { fingerprint } from '../../src/output/manifest.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'

// Indexes that are nearly right: what is meant is read, or it is said that it is not.

async function read(index: string, columns: Record<string, string> = {}) {
  const adapter = openAdapter({ name: 'csv', applyExifOrientation: false, index: 'index.csv', columns })
  const store = memoryStore({ 'a.png': 'a', 'b/c.png': 'c', 'index.csv': index })
  const samples = await samplesOf(adapter, store)
  return { adapter, store, samples, overview: adapter.overview?.() }
}

const pose = { yaw: 1, pitch: 2, roll: 3 }
const nothing = { pose: null, box: null, subject: null, sequence: null, frame: null }

describe('the names of columns', () => {
  it.each([
    'key, yaw, pitch, roll\na.png,1,2,3\n',
    'Key ,YAW,Pitch,roll\na.png ,1,2,3\n',
    '"key","  yaw","pitch\t", Roll\na.png, 1, 2, 3\n',
    '{"key":"a.png"," Yaw":1,"PITCH":2,"roll":3}\n',
  ])('may have blanks and capitals: %j', async (index) => {
    const { samples, overview } = await read(index)
    expect(samples).toMatchObject([{ key: 'a.png', sizeBytes: 1, truth: { pose } }])
    expect(overview).toEqual({ warnings: [], isReadAnew: true })
  })

  it('count as they are written where one is written so', async () => {
    const { samples, overview } = await read('key,yaw,pitch,roll,Yaw, roll\na.png,1,2,3,4,5\n')
    expect(samples[0]?.truth?.pose).toEqual(pose)
    expect(overview?.warnings).toEqual([expect.stringContaining('"Yaw", " roll"')])
    expect(overview?.isReadAnew).toBe(false)
  })

  it('are left alone where two could be meant, and named', async () => {
    const { samples, overview } = await read('key,Frame,FRAME\na.png,4,5\n')
    expect(samples[0]?.truth).toEqual(nothing)
    expect(overview?.warnings).toEqual([expect.stringContaining('"Frame", "FRAME"')])
    await expect(read('Key,KEY\na.png,b\n')).rejects.toMatchObject({ code: 'bad-index' })
  })

  it('are left alone where they are but a part of angles or box: earlier versions took such an index', async () => {
    const { samples, overview } = await read('key,Yaw,X0,Y0\na.png,1,2,3\n')
    expect(samples[0]?.truth).toEqual(nothing)
    expect(overview?.warnings).toEqual([expect.stringContaining('"Yaw", "X0", "Y0"')])
  })

  it('may be meant by --columns in the same way, and are not read twice', async () => {
    const { samples } = await read(' Image,Pitch,yaw,RX,Roll\na.png,1,9,2,3\n', {
      key: 'image',
      yaw: 'pitch',
      pitch: 'rx',
    })
    expect(samples).toMatchObject([{ key: 'a.png', truth: { pose } }])
  })

  it('that nothing is read from are told, up to eight of them', async () => {
    const others = Array.from({ length: 10 }, (_, n) => `o${n}`)
    const { overview } = await read(`,key,subject,${others.join()}\n0,a.png,Anna,${others.join()}\n`)
    expect(overview?.warnings).toEqual([
      `nothing is read from ${others
        .slice(0, 8)
        .map((name) => `"${name}"`)
        .join(', ')} and 2 more of the index; --columns says what columns hold`,
    ])
    expect((await read('{"key":"a.png"}\n{"key":"b/c.png","quality":1}\n')).overview?.warnings).toEqual([
      expect.stringContaining('"quality"'),
    ])
  })
})

describe('a key', () => {
  it.each(['./b/c.png', 'b\\c.png', '.\\b\\c.png', 'b//c.png', 'x/../b/./c.png', 'memory://dataset/b/c.png'])(
    'written as %s is found',
    async (key) => {
      const { samples } = await read(`key\n${key}\n`)
      expect(samples).toMatchObject([{ key: 'b/c.png', sizeBytes: 1 }])
    },
  )

  it.each(['../c.png', '/data/b/c.png', 'C:\\images\\c.png', 's3://other/c.png'])(
    'written as %s is refused for what it is',
    async (key) => {
      const { adapter, store, samples } = await read(`key\n${key}\n`)
      expect(samples.map((sample) => sample.key)).toEqual([key])
      expect(adapter.whyBadKey?.(store, key)).toContain('does not lie below memory://dataset/')
    },
  )

  it('that is written in two ways is one', async () => {
    const { adapter, store, samples } = await read('key,frame\nb/c.png,1\n./b/c.png,2\n')
    expect(samples.length).toBe(1)
    await expect(readTruth(adapter, store, samples[0]!)).rejects.toMatchObject({
      code: 'bad-label',
      message: expect.stringContaining('--columns face=COLUMN'),
    })
  })
})

describe('a label that cannot be used', () => {
  it.each(['x,2,3', '1,2,', '361,2,3'])('%s does not cost the map: the box is kept', async (label) => {
    const { adapter, store, samples } = await read(`key,yaw,pitch,roll,x0,y0,x1,y1,frame\na.png,${label},1,2,3,4,f\n`)
    expect(await readTruth(adapter, store, samples[0]!)).toEqual({
      truth: { ...nothing, box: { x0: 1, y0: 2, x1: 3, y1: 4 }, frame: 'f' },
      labelFault: expect.stringMatching(/^Line 2 of the index: .*; correct it\.$/) as string,
    })
  })

  it.each(['1,2,3,1,2,1,4', 'x,2,3,1,2,x,4', ',,,1,2,3,'])('%s has a bad box, which does', async (numbers) => {
    const { adapter, store, samples } = await read(`key,yaw,pitch,roll,x0,y0,x1,y1\na.png,${numbers}\n`)
    const refusal = { code: 'bad-label', message: expect.stringMatching(/box|x1/) as string }
    await expect(readTruth(adapter, store, samples[0]!)).rejects.toMatchObject(refusal)
  })
})

describe('what earlier versions read in the same row', () => {
  const printOf = (sample: Sample | undefined, truth: Sample['truth']) => fingerprint({ ...sample!, truth })
  const says = (fault: string) => ({ ...nothing, fault: `Line 2 of the index: ${fault}; correct it.` })

  it.each([
    ['key,subject, yaw, pitch, roll\na.png,Anna,1,2,3\n', { ...nothing, subject: 'Anna' }],
    ['key,Subject\na.png,Anna\n', nothing],
    ['key,X0,Y0,X1,Y1\na.png,1,2,1,4\n', nothing],
    ['key,yaw,pitch,roll\na.png,200,2,3\n', says('an angle lies beyond ±180°')],
    ['key,yaw,pitch,roll\na.png,400,2,3\n', says('an angle lies beyond ±180°')],
    ['key,yaw,pitch,roll,x0,y0,x1,y1\na.png,x,2,3,1,2,3,4\n', says('yaw is no number')],
    ['key, yaw, pitch, roll,x0,y0,x1,y1\na.png,x,2,3,1,2,3,4\n', { ...nothing, box: { x0: 1, y0: 2, x1: 3, y1: 4 } }],
  ])('is known, to tell why it is computed again: %j', async (index, former) => {
    const [sample] = (await read(index)).samples
    expect(sample?.formerTruth).toEqual(former)
    expect(printOf(sample, former)).not.toBe(printOf(sample, sample?.truth))
  })

  it.each([
    'key,yaw,pitch,roll,Other\na.png,1,2,3,x\n',
    'key,yaw,pitch,roll\na.png,x,2,3\n',
    'key,x0,y0,x1,y1\na.png,1,2,1,4\n',
  ])('is nothing else where nothing more is read: %j', async (index) => {
    const { samples, overview } = await read(index)
    const [sample] = samples
    expect(sample?.formerTruth).toBeUndefined()
    // Nothing of a run waits for a count of such samples.
    expect(overview?.isReadAnew).toBe(false)
    // What is new in what is said of a fault is no part of the fingerprint.
    const { faultOf: _, ...former } = { ...sample!.truth! }
    expect(printOf(sample, sample?.truth)).toBe(printOf(sample, former))
  })
})

describe('radians', () => {
  it.each([
    ['0.35,-0.12,0.02', '1.2,0,-3.1', true],
    ['0.35,-0.12,0.02', '17.5,0,-3.1', false],
    ['1,2,3', '-4,0,0', false],
    ['0.35,-0.12,6.6', '1.2,0,-3.1', false],
    ['x,,', ',,', false],
  ])('%s and %s: %s', async (a, b, isHinted) => {
    const { overview } = await read(`key,yaw,pitch,roll\na.png,${a}\nb/c.png,${b}\n`)
    expect(overview?.warnings).toEqual(isHinted ? [expect.stringContaining('are they radians?')] : [])
  })
})
