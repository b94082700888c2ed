import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeArrayDataset } from '../../examples/heads/arrayDataset.ts'
import { writeBiwiDataset } from '../../examples/heads/biwiDataset.ts'
import { writeFilenameDataset } from '../../examples/heads/filenameDataset.ts'
import { closeUps } from '../../examples/heads/heads.ts'
import { apply, multiply, poseOf, type Matrix, type Vector } from '../../examples/heads/rotation.ts'
import { openAdapter } from '../../src/dataset/adapters.ts'
import { decodeImage } from '../../src/image/codec.ts'
import { openStore } from '../../src/storage/open.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'heads-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const decode = (path: string) => decodeImage(readFileSync(path), { maxPixels: 1e6, applyExifOrientation: false })

test('the adapter reads from the names the poses that were rendered', async () => {
  const images = join(folder, 'images')
  const names = await writeFilenameDataset({
    folder: images,
    masks: join(folder, 'masks'),
    seed: 2,
    count: 4,
    side: 48,
  })
  const rendered = [...closeUps({ seed: 2, count: 4, side: 48, whole: true })]
  const store = openStore(images)
  const adapter = openAdapter({
    name: 'filename',
    filenameAngles: ['yaw', 'pitch', 'roll'],
    applyExifOrientation: false,
  })
  const poses = new Map<string, unknown>()
  for await (const sample of adapter.samples(store)) {
    poses.set(sample.key, (await adapter.read(store, sample)).pose)
  }
  expect([...poses.keys()]).toEqual(names)
  expect([...poses.values()]).toEqual(rendered.map(({ pose }) => pose))
  expect(readdirSync(join(folder, 'masks')).sort()).toEqual(names)
  expect(Buffer.from((await decode(join(images, names[3]!))).pixels)).toEqual(Buffer.from(rendered[3]!.picture.pixels))
})

test('a frame in BIWI’s layout shows the head where its pose file and calibration put it', async () => {
  const [hpdb, masks] = [join(folder, 'images'), join(folder, 'masks')]
  const keys = await writeBiwiDataset({ folder: hpdb, masks, seed: 1, count: 3 })
  expect(keys).toEqual([3, 4, 5].map((frame) => `hpdb/01/frame_0000${frame}_rgb.png`))
  const calibration = lines(join(hpdb, 'hpdb/01/rgb.cal'))
  const [focal, , centreX, , , centreY] = calibration.slice(0, 3).flat() as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const toColour = calibration.slice(6, 9).flat() as unknown as Matrix
  const shift = calibration[10] as unknown as Vector
  for (const key of keys) {
    const pose = lines(join(hpdb, key.replace('_rgb.png', '_pose.txt')))
    expect(pose.map((row) => row.length)).toEqual([3, 3, 3, 0, 3])
    const rotation = pose.slice(0, 3).flat() as unknown as Matrix
    const { yaw, pitch, roll } = poseOf(rotation)
    expect(Math.abs(yaw) <= 75 && Math.abs(pitch) <= 50 && Math.abs(roll) <= 45).toBe(true)
    const unit = multiply(rotation, transposed(rotation))
    unit.forEach((value, at) => expect(value).toBeCloseTo(at % 4 === 0 ? 1 : 0, 5))
    // The head's centre, moved into the colour camera and projected, lies inside the head's mask.
    const [x, y, z] = apply(toColour, pose[4] as unknown as Vector, shift)
    const mask = await decode(join(masks, key))
    expect([mask.width, mask.height]).toEqual([640, 480])
    const column = Math.round(centreX + (focal * x) / z)
    const row = Math.round(centreY + (focal * y) / z)
    expect(mask.pixels[3 * (row * 640 + column)]).toBe(255)
    const covered = mask.pixels.filter((value, at) => at % 3 === 0 && value === 255).length / (640 * 480)
    expect(covered).toBeGreaterThan(0.01)
    expect(covered).toBeLessThan(0.12)
  }
})

test('arrays hold the pictures and poses of their numbers', async () => {
  await writeArrayDataset({ folder, seed: 9, first: 2, count: 3, side: 32 })
  const pictures = readFileSync(join(folder, 'pictures.npy'))
  const rendered = [...closeUps({ seed: 9, first: 2, count: 3, side: 32 })]
  expect(pictures.toString('latin1')).toContain("'descr': '|u1', 'fortran_order': False, 'shape': (3, 32, 32, 3)")
  const headerLength = 10 + pictures.readUInt16LE(8)
  expect(headerLength % 64).toBe(0)
  expect(pictures.length).toBe(headerLength + 3 * 32 * 32 * 3)
  expect(pictures.subarray(headerLength + 32 * 32 * 3, headerLength + 2 * 32 * 32 * 3)).toEqual(
    Buffer.from(rendered[1]!.picture.pixels),
  )
  const poses = readFileSync(join(folder, 'poses.npy'))
  expect(poses.readFloatLE(poses.length - 4)).toBeCloseTo(rendered[2]!.pose.roll, 4)
})

function lines(path: string): number[][] {
  const rows = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return rows.map((row) =>
    row
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  )
}

function transposed(m: Matrix): Matrix {
  return [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]]
}
