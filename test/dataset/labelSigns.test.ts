import { describe, expect, it } from 'vitest'
import { adapterOptions } from '../../src/cli/settings/adapterSettings.ts'
import { resolveSettings } from '../../src/cli/settings/resolveSettings.ts'
import { adapterOptionsSchema, openAdapter } from '../../src/dataset/adapters.ts'
import type { Pose } from '../../src/pose/euler.ts'
import { matFile } from '../support/matFile.ts'
import { memoryStore, samplesOf } from '../support/memoryStore.ts'

const optionsOf = (flags: Record<string, unknown>) => adapterOptions(resolveSettings({ environment: {}, flags }))

const turn = '0.980639 0.109899 0.162077\n-0.11023 0.993882 -0.00697376\n-0.161851 -0.011027 0.986754\n'
const store = memoryStore({
  'a_1_-17_+0_+3.png': '',
  'hpdb/01/frame_00003_rgb.png': '',
  'hpdb/01/frame_00003_pose.txt': `${turn}\n0 0 1000\n`,
  'hpdb/01/rgb.cal': '500 0 320\n0 500 240\n0 0 1\n0 0 0 0 0\n1 0 0\n0 1 0\n0 0 1\n0 0 0\n640 480\n',
  'x/b.jpg': '',
  'x/b.mat': matFile({ Pose_Para: { rows: 1, values: [0, 0.5, 1] }, pt2d: { rows: 2, values: [1, 1, 9, 9] } }),
  'index.csv': 'key,yaw,pitch,roll\nx/b.jpg,1,0,3\n',
})

async function poseOf(flags: Record<string, unknown>): Promise<Pose> {
  const adapter = openAdapter(optionsOf(flags))
  for (const sample of await samplesOf(adapter, store)) {
    const truth = await adapter.read(store, sample).catch(() => undefined)
    if (truth?.pose) return truth.pose
  }
  throw new Error('no sample has a pose')
}

describe.each([
  { adapter: 'filename' },
  { adapter: 'biwi' },
  { adapter: 'aflw2000' },
  { adapter: 'csv', index: 'index.csv' },
])('$adapter', (flags) => {
  it('has the signs of its labels turned, and nothing else', async () => {
    const { yaw, pitch, roll } = await poseOf(flags)
    // Never −0: JSON would write it as 0, and equal records would differ.
    expect(await poseOf({ ...flags, labelSigns: 'yaw=-1, pitch=-1' })).toEqual({ yaw: -yaw, pitch: 0 - pitch, roll })
    expect(await poseOf({ ...flags, labelSigns: ['roll=-1', 'yaw=1'] })).toEqual({ yaw, pitch, roll: -roll })
  })

  it('says so in its options, which are those of ever without it', () => {
    const plain = optionsOf(flags)
    expect(Object.keys(plain)).not.toContain('labelSigns')
    expect(optionsOf({ ...flags, labelSigns: 'yaw=1' })).toEqual(plain)
    const turned = optionsOf({ ...flags, labelSigns: 'yaw=-1' })
    expect(turned).toEqual({ ...plain, labelSigns: { yaw: -1 } })
    expect(adapterOptionsSchema.parse(turned)).toEqual(turned)
  })
})

it.each(['yaw', 'yaw=-2', 'tilt=-1', 'yaw-1'])('%s is refused', (labelSigns) => {
  expect(() => optionsOf({ adapter: 'filename', labelSigns })).toThrow(/--label-signs takes/)
})

it('is refused where there are no labels', () => {
  expect(() => optionsOf({ labelSigns: 'yaw=-1' })).toThrow(/belongs to --adapter filename or biwi/)
})
