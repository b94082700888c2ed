import { describe, expect, it } from 'vitest'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { readTruth } from '../../src/dataset/unusableLabel.ts'
import { fingerprint } from '../../src/output/manifest.ts'
import type { Pose } from '../../src/pose/euler.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'

const biwi = (options: { labels?: 'depth' | 'rgb'; margin?: number; boxes?: string } = {}) =>
  openAdapter({
    name: 'biwi',
    applyExifOrientation: false,
    labels: options.labels ?? 'depth',
    margin: options.margin ?? 0,
    boxes: options.boxes ?? null,
  })

const identity = '1 0 0 \n0 1 0 \n0 0 1 \n'
/** Turns 90° about the optical axis (x to y), then shifts. */
const quarterTurn = '0 -1 0 \n1 0 0 \n0 0 1 \n'

function calibration(rotation = identity, translation = '0 0 0', focal = 500): string {
  return `${focal} 0 320 \n0 ${focal} 240 \n0 0 1 \n\n0 0 0 0 0 \n\n${rotation}\n${translation} \n\n640 480 \n`
}

const poseFile = (rotation = identity, centre = '0 0 1000') => `${rotation}\n${centre} \n`

function sequence(folder = 'hpdb/01/', pose = poseFile(), cal = calibration()) {
  return {
    [`${folder}frame_00003_rgb.png`]: 'image',
    [`${folder}frame_00003_pose.txt`]: pose,
    [`${folder}frame_00003_depth.bin`]: 'depth',
    [`${folder}depth.cal`]: 'other',
    [`${folder}rgb.cal`]: cal,
  }
}

async function truthOf(contents: Record<string, string>, adapter = biwi()) {
  const store = memoryStore(contents)
  const [sample] = await samplesOf(adapter, store)
  if (!sample) throw new Error('no sample')
  return (await readTruth(adapter, store, sample)).truth
}

const closeTo = (pose: Pose | null, yaw: number, pitch: number, roll: number) => {
  expect(pose?.yaw).toBeCloseTo(yaw, 3)
  expect(pose?.pitch).toBeCloseTo(pitch, 3)
  expect(pose?.roll).toBeCloseTo(roll, 3)
}

describe('labels', () => {
  it.each([
    [
      '0.45684 -0.404949 -0.792031 \n-0.103806 0.860022 -0.499587 \n0.883471 0.310449 0.350856 \n',
      -52.3757,
      -54.9199,
      41.5542,
    ],
    [
      '0.980639 0.109899 0.162077 \n-0.11023 0.993882 -0.00697376 \n-0.161851 -0.011027 0.986754 \n',
      9.3275,
      -0.4049,
      -6.3944,
    ],
  ])('%j', async (matrix, yaw, pitch, roll) => {
    const { pose } = await truthOf(sequence('01/', poseFile(matrix)))
    closeTo(pose, yaw, pitch, roll)
  })

  it('stay in the depth camera’s frame unless the colour camera’s is asked for', async () => {
    const contents = sequence('01/', poseFile(), calibration(quarterTurn))
    closeTo((await truthOf(contents)).pose, 0, 0, 0)
    // x to y is clockwise on a screen whose y points down.
    closeTo((await truthOf(contents, biwi({ labels: 'rgb' }))).pose, 0, 0, 90)
  })

  it('come with names', async () => {
    expect(await truthOf(sequence('a/hpdb/07/'))).toMatchObject({ subject: '07', sequence: '07', frame: '00003' })
  })
})

describe('the box', () => {
  it('is a square of 240 mm at the distance of the head', async () => {
    const { box } = await truthOf(sequence('01/', poseFile(identity, '100 -50 1000')))
    // 500 px · 240 mm / 1000 mm = 120 px around (320 + 50, 240 − 25)
    expect(box).toEqual({ x0: 310, y0: 155, x1: 430, y1: 275 })
  })

  it('follows the head into the colour camera, and grows by the margin', async () => {
    const cal = calibration(quarterTurn, '10 20 500')
    // (100, −50, 500) turns to (50, 100, 500) and shifts to (60, 120, 1000)
    const { box } = await truthOf(sequence('01/', poseFile(identity, '100 -50 500'), cal), biwi({ margin: 0.25 }))
    expect(box).toEqual({ x0: 350 - 90, y0: 300 - 90, x1: 350 + 90, y1: 300 + 90 })
  })
})

describe('the listing', () => {
  it('finds frames at any depth, with their pose file and calibration', async () => {
    const store = memoryStore({ ...sequence('01/'), ...sequence('x/hpdb/02/'), 'x/frame_00003_rgb.png': 'stray' })
    const samples = await samplesOf(biwi(), store)
    expect(samples.map(({ key }) => key)).toEqual(['01/frame_00003_rgb.png', 'x/hpdb/02/frame_00003_rgb.png'])
    expect(samples[1]?.companions.map(({ key }) => key)).toEqual([
      'x/hpdb/02/frame_00003_pose.txt',
      'x/hpdb/02/rgb.cal',
    ])
    // One question per sequence, none per frame.
    expect(store.asked).toEqual(['head 01/rgb.cal', 'head x/hpdb/02/rgb.cal'])
  })

  it('is the same from a key on', async () => {
    const store = memoryStore({ ...sequence('01/'), ...sequence('02/') })
    const all = await samplesOf(biwi(), store)
    expect(await samplesOf(biwi(), store, '01/frame_00003_rgb.png')).toEqual(all.slice(1))
    expect(await samplesOf(biwi(), store, '02/frame_00003_pose.txt')).toEqual(all.slice(1))
  })

  it.each(['frame_00003_pose.txt', 'rgb.cal'])('makes a sample new when its %s changes', async (name) => {
    const before = await samplesOf(biwi(), memoryStore(sequence('01/')))
    const after = await samplesOf(biwi(), memoryStore({ ...sequence('01/'), [`01/${name}`]: 'other' }))
    expect(fingerprint(after[0]!)).not.toBe(fingerprint(before[0]!))
  })
})

describe('a bad label', () => {
  it.each([
    ['frame_00003_pose.txt', undefined],
    ['rgb.cal', undefined],
    ['frame_00003_pose.txt', ''],
    ['frame_00003_pose.txt', '1 0 0\n0 1 0\n0 0 1\n'],
    ['frame_00003_pose.txt', '1 0 0\n0 1 0\n0 0 nan\n\n0 0 900\n'],
    ['frame_00003_pose.txt', '1 0 0\n0 1 0\n0 0 2\n\n0 0 900\n'],
    ['frame_00003_pose.txt', '1 0 0\n0 1 0\n0 0 -1\n\n0 0 900\n'],
    ['frame_00003_pose.txt', '1 0 0\n0 1 0\n0 0 1\n\n0 0 -900\n'],
    ['rgb.cal', 'damaged'],
    ['rgb.cal', calibration(undefined, undefined, 0)],
  ])('%s: %j', async (name, content) => {
    const contents: Record<string, string> = sequence('01/')
    if (content === undefined) delete contents[`01/${name}`]
    else contents[`01/${name}`] = content
    await expect(truthOf(contents)).rejects.toMatchObject({ code: 'bad-label' })
  })

  it('is none when the file was replaced after it was listed', async () => {
    const store = memoryStore(sequence('01/'))
    const [sample] = await samplesOf(biwi(), store)
    store.objects.set('01/frame_00003_pose.txt', poseFile(quarterTurn))
    await expect(biwi().read(store, sample!)).rejects.toMatchObject({ code: 'changed' })
  })

  it('may be Windows’ line ends', async () => {
    const { pose } = await truthOf(sequence('01/', poseFile().replaceAll('\n', '\r\n')))
    closeTo(pose, 0, 0, 0)
  })
})

describe('a list of boxes', () => {
  const contents = { ...sequence('01/'), ...sequence('02/') }

  it('replaces the box and restricts the set', async () => {
    const store = memoryStore({ ...contents, 'b.csv': 'key,x0,y0,x1,y1\n02/frame_00003_rgb.png,1,2,30,40\n' })
    const adapter = biwi({ boxes: 'b.csv' })
    const samples = await samplesOf(adapter, store)
    expect(samples.map(({ key }) => key)).toEqual(['02/frame_00003_rgb.png'])
    const truth = await adapter.read(store, samples[0]!)
    expect(truth).toMatchObject({ box: { x0: 1, y0: 2, x1: 30, y1: 40 }, sequence: '02', frame: '00003' })
    closeTo(truth.pose, 0, 0, 0)
    store.objects.set('b.csv', 'key,x0,y0,x1,y1\n02/frame_00003_rgb.png,1,2,30,41\n')
    expect(fingerprint((await samplesOf(adapter, store))[0]!)).not.toBe(fingerprint(samples[0]!))
  })

  it.each([
    ['frame_00003_pose.txt', undefined],
    ['rgb.cal', undefined],
    ['frame_00003_pose.txt', 'damaged'],
  ])('needs no %s for the map: %j costs the label alone', async (name, content) => {
    const store = memoryStore({ ...contents, 'b.csv': 'key,x0,y0,x1,y1\n02/frame_00003_rgb.png,1,2,30,40\n' })
    if (content === undefined) store.objects.delete(`02/${name}`)
    else store.objects.set(`02/${name}`, content)
    const adapter = biwi({ boxes: 'b.csv' })
    const [sample] = await samplesOf(adapter, store)
    const read = await readTruth(adapter, store, sample!)
    expect(read.truth).toEqual({
      pose: null,
      box: { x0: 1, y0: 2, x1: 30, y1: 40 },
      subject: '02',
      sequence: '02',
      frame: '00003',
    })
    expect(read.labelFault).toContain(`02/${name}`)
  })

  it('has no use for labels, good or bad', async () => {
    const list = 'key,x0,y0,x1,y1,yaw,pitch,roll\n02/frame_00003_rgb.png,1,2,30,40,x,,\n'
    const store = memoryStore({ ...contents, 'b.csv': list })
    const adapter = biwi({ boxes: 'b.csv' })
    const [sample] = await samplesOf(adapter, store)
    expect((await readTruth(adapter, store, sample!)).labelFault).toBeUndefined()
  })

  it('must have a box in every row', async () => {
    const store = memoryStore({ ...contents, 'b.csv': 'key,x0,y0,x1,y1\n02/frame_00003_rgb.png,,,,\n' })
    const [sample] = await samplesOf(biwi({ boxes: 'b.csv' }), store)
    await expect(biwi().read(store, sample!)).rejects.toMatchObject({ code: 'bad-label' })
    store.objects.set('b.csv', 'key,pitch\n')
    await expect(samplesOf(biwi({ boxes: 'b.csv' }), store)).rejects.toMatchObject({ code: 'bad-index' })
  })
})
