import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodePng } from '../../src/image/png.ts'
import { randomIdentity } from './identity.ts'
import { randomLight } from './light.ts'
import { Random, seedAt } from './random.ts'
import { Renderer, type Scene } from './renderer.ts'
import { apply, headRotation, multiply, type Matrix, type Vector } from './rotation.ts'
import { randomBody, randomPose } from './scene.ts'

const [width, height] = [640, 480] as const
const [focal, centreX, centreY] = [517.7, 320, 240.5] as const

/** Frames of one person before two cameras, as BIWI has them: the labels are the depth camera's, the pictures the other's. */
const framesPerSequence = 10

/**
 * `count` frames in BIWI's layout under `folder`: `hpdb/NN/frame_NNNNN_rgb.png`, `frame_NNNNN_pose.txt` (the matrix that
 * turns the head into the depth camera's axes, a blank line, the head's centre there in mm) and `rgb.cal` (intrinsics,
 * then the rotation and translation in mm from the depth camera to the colour camera). Whole frames, the head a small
 * part of them. Returns the pictures' keys.
 */
export async function writeBiwiDataset(options: {
  folder: string
  masks?: string | undefined
  seed: number
  count: number
}): Promise<string[]> {
  const { folder, masks, seed, count } = options
  const renderer = new Renderer()
  const keys: string[] = []
  for (let sequence = 0; keys.length < count; sequence++) {
    const random = new Random(seedAt(seed, sequence))
    const identity = randomIdentity(random.fork())
    const light = randomLight(random.fork())
    const toColour = headRotation({ yaw: 0.4 * random.bell(), pitch: 1.08, roll: 0.2 * random.bell() })
    const shift: Vector = [-2.4, 0.03, -0.66]
    const room = Math.floor(random.next() * 4294967296)
    const within = `hpdb/${String(sequence + 1).padStart(2, '0')}`
    await write(join(folder, within, 'rgb.cal'), calibration(toColour, shift))
    for (let frame = 3; frame < 3 + framesPerSequence && keys.length < count; frame++) {
      const pose = randomPose(random)
      const rotation = headRotation(pose)
      const at: Vector = [random.between(-16, 16), random.between(-10, 12), random.between(80, 115)]
      const scene: Scene = {
        identity,
        rotation: multiply(toColour, rotation),
        at: apply(toColour, at, shift),
        body: randomBody(random, { yaw: 0.4 * pose.yaw, pitch: 0, roll: 0 }),
        light,
        camera: { width, height, focal, centreX, centreY },
        exposure: 0.95,
        noise: 2,
      }
      // One room per sequence: the source that paints it begins anew with each frame.
      const { pixels, mask } = renderer.render(scene, new Random(room))
      const name = `${within}/frame_${String(frame).padStart(5, '0')}`
      await write(join(folder, `${name}_pose.txt`), poseText(rotation, at))
      await write(join(folder, `${name}_rgb.png`), await encodePng(pixels, width, height, 3))
      if (masks !== undefined) await write(join(masks, `${name}_rgb.png`), await encodePng(mask, width, height, 1))
      keys.push(`${name}_rgb.png`)
    }
  }
  return keys
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

function poseText(rotation: Matrix, [x, y, z]: Vector): string {
  return `${rows(rotation)}\n${[10 * x, 10 * y, 10 * z].map(short).join(' ')} \n`
}

function calibration(rotation: Matrix, [x, y, z]: Vector): string {
  const intrinsics = rows([focal, 0, centreX, 0, focal, centreY, 0, 0, 1])
  const translation = [10 * x, 10 * y, 10 * z].map(short).join(' ')
  return `${intrinsics}\n0 0 0 0 0 \n\n${rows(rotation)}\n${translation} \n\n${width} ${height} \n`
}

function rows(m: Matrix): string {
  return [0, 3, 6]
    .map(
      (from) =>
        `${m
          .slice(from, from + 3)
          .map(short)
          .join(' ')} \n`,
    )
    .join('')
}

function short(value: number): string {
  return String(Number(value.toPrecision(7)))
}
