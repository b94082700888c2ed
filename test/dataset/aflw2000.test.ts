import { describe, expect, it } from 'vitest'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { readTruth } from '../../src/dataset/unusableLabel.ts'
import { fingerprint } from '../../src/output/manifest.ts'
import { matFile } from '../support/matFile.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'

const adapter = (box: 'hopenet' | 'hopenet-literal' = 'hopenet') =>
  openAdapter({ name: 'aflw2000', applyExifOrientation: false, box })

const [pitch, yaw, roll] = [0.1, -0.5, 0.25]
/** 100 × 50 from (200, 100), and a missing point whose y looks like one. */
const landmarks = [200, 100, 300, 120, 250, 150, -1, 400]
const label = (values: readonly number[] = landmarks, pose: readonly number[] = [pitch, yaw, roll, 1, 2, 3, 4e-4]) =>
  matFile({ Illum_Para: { rows: 1, values: [1] }, Pose_Para: { rows: 1, values: pose }, pt2d: { rows: 2, values } })

async function truthOf(mat: Uint8Array, box?: 'hopenet' | 'hopenet-literal') {
  const store = memoryStore({ 'image00002.jpg': 'image', 'image00002.mat': mat })
  const [sample] = await samplesOf(adapter(box), store)
  return adapter(box).read(store, sample!)
}

describe('a label', () => {
  it('is turned from pitch, yaw, roll in radians', async () => {
    const { pose } = await truthOf(label())
    expect(pose?.pitch).toBeCloseTo(5.7296, 4)
    expect(pose?.yaw).toBeCloseTo(-28.6479, 4)
    expect(pose?.roll).toBeCloseTo(14.3239, 4)
  })

  it('has Hopenet’s box around the points that are there, line after line', async () => {
    // x0 = 200 − 0.4·100; y0 = 100 − 0.4·50; x1 = 300 + 0.4·140; y1 = 150 + 0.12·70, cut to whole pixels
    expect((await truthOf(label())).box).toEqual({ x0: 160, y0: 80, x1: 356, y1: 158 })
  })

  it('drops a point for a negative y as well', async () => {
    expect((await truthOf(label([...landmarks, 900, -1]))).box).toEqual({ x0: 160, y0: 80, x1: 356, y1: 158 })
  })

  it('has the published box on request, missing points and all', async () => {
    // x0 = −1 − 0.4·301; y0 = 100 − 0.4·300; x1 = 300 + 0.4·421.4; y1 = 400 + 0.12·420
    expect((await truthOf(label(), 'hopenet-literal')).box).toEqual({ x0: -121, y0: -20, x1: 468, y1: 450 })
  })

  it.each([
    ['no MATLAB file', Buffer.from('pose')],
    ['no pose', matFile({ pt2d: { rows: 2, values: landmarks } })],
    ['no landmarks', matFile({ Pose_Para: { rows: 1, values: [0, 0, 0] } })],
    ['a short pose', label(landmarks, [0, 0])],
    ['a pose of no number', label(landmarks, [0, NaN, 0])],
    ['a pose in degrees', label(landmarks, [0, 90, 0])],
    ['landmarks that are all missing', label([-1, 5, -1, 6])],
    ['one landmark', label([5, 5, -1, 6])],
    ['landmarks in rows', matFile({ Pose_Para: { rows: 1, values: [0, 0, 0] }, pt2d: { rows: 4, values: landmarks } })],
  ])('is bad with %s', async (_, mat) => {
    await expect(truthOf(mat)).rejects.toMatchObject({ code: 'bad-label' })
  })
})

describe('a pose that cannot be used beside landmarks that can', () => {
  it.each([
    ['none', matFile({ pt2d: { rows: 2, values: landmarks } })],
    ['in degrees', label(landmarks, [0, 90, 0])],
  ])('%s: costs the label, not the map', async (_, mat) => {
    const store = memoryStore({ 'a.jpg': 'image', 'a.mat': mat })
    const [sample] = await samplesOf(adapter(), store)
    const read = await readTruth(adapter(), store, sample!)
    expect(read.truth).toMatchObject({ pose: null, box: { x0: 160, y0: 80, x1: 356, y1: 158 } })
    expect(read.labelFault).toContain('memory://dataset/a.mat cannot be used: ')
  })

  it('is of no use where the landmarks are none', async () => {
    const store = memoryStore({ 'a.jpg': 'image', 'a.mat': label([-1, 5, -1, 6], [0, 90, 0]) })
    const [sample] = await samplesOf(adapter(), store)
    await expect(readTruth(adapter(), store, sample!)).rejects.toMatchObject({ code: 'bad-label' })
  })
})

describe('the listing', () => {
  it('finds the file beside each image, whichever comes first, in the order of keys', async () => {
    const keys = ['a.b.jpg', 'a.jpg', 'a.kk.png', 'a.png', 'b.PNG', 'c/d.jpeg', 'e.jpg', 'e.jpg.jpg', 'f.png', 'z.jpg']
    const labels = ['a.b.mat', 'a.mat', 'b.mat', 'c/d.mat', 'e.mat', 'f.mat', 'f.ml.txt', 'x.mat']
    const store = memoryStore(Object.fromEntries([...keys, ...labels].map((key) => [key, key])))
    const all = await samplesOf(adapter(), store)
    expect(all.map(({ key }) => key)).toEqual(keys)
    expect(all.map(({ companions }) => companions.map(({ key }) => key))).toEqual([
      ['a.b.mat'],
      ['a.mat'],
      [],
      ['a.mat'],
      ['b.mat'],
      ['c/d.mat'],
      ['e.mat'],
      [],
      ['f.mat'],
      [],
    ])
    for (const [index, { key }] of all.entries()) {
      expect(await samplesOf(adapter(), store, key)).toEqual(all.slice(index + 1))
    }
    expect(await samplesOf(adapter(), store, 'f.mzz')).toEqual(all.slice(8))
  })

  it('keeps an image without a file, to fail by itself', async () => {
    const store = memoryStore({ 'a.jpg': 'image', 'b.jpg': 'image', 'b.mat': label() })
    const [a, b] = await samplesOf(adapter(), store)
    await expect(adapter().read(store, a!)).rejects.toMatchObject({ code: 'bad-label' })
    expect((await adapter().read(store, b!)).pose).not.toBeNull()
  })

  it('makes a sample new when its label changes', async () => {
    const of = async (mat: Uint8Array) => (await samplesOf(adapter(), memoryStore({ 'a.jpg': '', 'a.mat': mat })))[0]!
    expect(fingerprint(await of(label()))).not.toBe(fingerprint(await of(label(landmarks, [0, 0, 0]))))
  })
})
