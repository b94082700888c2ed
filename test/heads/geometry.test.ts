import { expect, test } from 'vitest'
import { readFaceMesh } from '../../examples/heads/faceMesh.ts'
import { randomIdentity, type Identity } from '../../examples/heads/identity.ts'
import { Random } from '../../examples/heads/random.ts'
import { Renderer, type Scene } from '../../examples/heads/renderer.ts'
import { apply, headRotation, poseOf, type Matrix } from '../../examples/heads/rotation.ts'
import type { AngleName, Pose } from '../../src/pose/euler.ts'

// +yaw: the nose points to the image's left; +pitch: up; +roll: the head turns clockwise on the screen.

const upright: Pose = { yaw: 0, pitch: 0, roll: 0 }
const sweep = [-45, -30, -15, 0, 15, 30, 45]
const side = 128
const camera = { width: side, height: side, focal: 800, centreX: side / 2, centreY: side / 2 }
const at = [0, 0, 250] as const

const face = readFaceMesh().positions
const vertex = { noseTip: 1, rightEye: 33, leftEye: 263, lips: 0 } as const

/** Where the picture shows a vertex of the resting mesh. */
function project(pose: Pose, index: number): { x: number; y: number } {
  const resting = [face[3 * index]!, face[3 * index + 1]!, face[3 * index + 2]!] as const
  const [x, y, z] = apply(headRotation(pose), resting, at)
  return { x: camera.centreX + (camera.focal * x) / z, y: camera.centreY + (camera.focal * y) / z }
}

/** A grey person with red lips and blue eyes under even light: features that can be found again in the pixels. */
const marked: Identity = {
  ...randomIdentity(new Random(1)),
  warp: () => {},
  skin: [0.3, 0.3, 0.3],
  lips: [0.9, 0, 0],
  iris: [0, 0, 0.9],
  hairColour: [0.2, 0.2, 0.2],
  cloth: [0.2, 0.2, 0.2],
  clothStripes: null,
  glasses: null,
  beard: 0,
  moustache: 0,
  freckles: 0,
  lids: 1,
  gaze: [0, 0],
}
const renderer = new Renderer()

/** Centre of the head's pixels that are much more of one colour than of the others. */
function centreOf(pose: Pose, wanted: 'red' | 'blue', within: (x: number) => boolean = () => true) {
  const scene: Scene = {
    identity: marked,
    rotation: headRotation(pose),
    at,
    body: upright,
    light: { lamps: [], sky: [1, 1, 1], ground: [1, 1, 1] },
    camera,
    exposure: 1,
    noise: 0,
  }
  const { pixels, mask } = renderer.render(scene, new Random(1))
  let [sumX, sumY, count] = [0, 0, 0]
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const [red, green, blue] = pixels.subarray(3 * pixel, 3 * pixel + 3) as unknown as [number, number, number]
    const strong = wanted === 'red' ? red - Math.max(green, blue) : blue - Math.max(red, green)
    if (mask[pixel] === 0 || strong < 60 || !within(pixel % side)) continue
    sumX += (pixel % side) + 0.5
    sumY += Math.floor(pixel / side) + 0.5
    count++
  }
  return { x: sumX / count, y: sumY / count, count }
}

const rising = (values: number[]) => values.every((value, index) => index === 0 || value > values[index - 1]!)
const swept = (name: AngleName, of: (pose: Pose) => number) => sweep.map((angle) => of({ ...upright, [name]: angle }))

test('the projected nose tip goes left with yaw and up with pitch', () => {
  expect(rising(swept('yaw', (pose) => -project(pose, vertex.noseTip).x))).toBe(true)
  expect(rising(swept('pitch', (pose) => -project(pose, vertex.noseTip).y))).toBe(true)
  expect(project({ ...upright, yaw: 30 }, vertex.noseTip).x).toBeLessThan(side / 2 - 10)
  expect(project({ ...upright, pitch: 30 }, vertex.noseTip).y).toBeLessThan(side / 2)
})

test('the projected eye line turns clockwise with roll, by the angle itself', () => {
  for (const roll of sweep) {
    const [right, left] = [
      project({ ...upright, roll }, vertex.rightEye),
      project({ ...upright, roll }, vertex.leftEye),
    ]
    const slope = (Math.atan2(left.y - right.y, left.x - right.x) * 180) / Math.PI
    expect(slope).toBeCloseTo(roll, 6)
  }
})

test('rendered lips move as the convention says', () => {
  expect(rising(swept('yaw', (pose) => -centreOf(pose, 'red').x))).toBe(true)
  expect(rising(swept('pitch', (pose) => -centreOf(pose, 'red').y))).toBe(true)
  // Turned clockwise, what is below the middle moves to the left.
  expect(rising(swept('roll', (pose) => -centreOf(pose, 'red').x))).toBe(true)
})

test('rendered eyes lie on a line that turns with roll', () => {
  for (const roll of [-30, 0, 30]) {
    const pose = { ...upright, roll }
    const middle = (project(pose, vertex.rightEye).x + project(pose, vertex.leftEye).x) / 2
    const right = centreOf(pose, 'blue', (x) => x < middle)
    const left = centreOf(pose, 'blue', (x) => x >= middle)
    const slope = (Math.atan2(left.y - right.y, left.x - right.x) * 180) / Math.PI
    expect(Math.abs(slope - roll)).toBeLessThan(3)
  }
})

test('pixels lie where the projection says', () => {
  for (const pose of [upright, { yaw: 25, pitch: -15, roll: 20 }, { yaw: -20, pitch: 20, roll: -30 }]) {
    const lips = centreOf(pose, 'red')
    expect(lips.count).toBeGreaterThan(10)
    const expected = project(pose, vertex.lips)
    expect(Math.hypot(lips.x - expected.x, lips.y - expected.y)).toBeLessThan(5)
  }
})

test('a matrix reads back as the pose that made it, and as BIWI’s files are read', () => {
  const pose = { yaw: 40, pitch: -25, roll: 15 }
  const read = poseOf(headRotation(pose))
  for (const name of ['yaw', 'pitch', 'roll'] as const) expect(read[name]).toBeCloseTo(pose[name], 9)
  const rows: Matrix = [0.45684, -0.404949, -0.792031, -0.103806, 0.860022, -0.499587, 0.883471, 0.310449, 0.350856]
  expect(poseOf(rows).yaw).toBeCloseTo(-52.3757, 3)
  expect(poseOf(rows).pitch).toBeCloseTo(-54.9199, 3)
  expect(poseOf(rows).roll).toBeCloseTo(41.5542, 3)
})
