import type { Pose } from '../../src/pose/euler.ts'
import { randomIdentity, type Identity } from './identity.ts'
import { randomLight } from './light.ts'
import type { Random } from './random.ts'
import type { Scene } from './renderer.ts'
import { headRotation } from './rotation.ts'

/** Beyond these no pose is drawn, degrees. */
export const poseLimits: Pose = { yaw: 75, pitch: 50, roll: 45 }

/** Angles drawn evenly within the limits. */
export function randomPose(random: Random): Pose {
  const within = (limit: number) => random.between(-limit, limit)
  return { yaw: within(poseLimits.yaw), pitch: within(poseLimits.pitch), roll: within(poseLimits.roll) }
}

/** Height of a head in centimetres, crown to chin, as far as framing is concerned. */
const headHeight = 25

export interface Framing {
  /** Of the picture's side that the head's height takes, from … to. */
  readonly share: readonly [number, number]
  /** How far from the middle the head's centre may lie: 0 never, 1 as far as it stays in the picture. */
  readonly stray: number
}

export const closeUp: Framing = { share: [0.5, 0.92], stray: 0.8 }

/**
 * A square picture of one head. The head's centre is on the camera's axis however far it lies from the picture's
 * middle, as in a crop out of a larger frame around that centre: the pose seen is then the pose labelled, whereas a
 * head beside the axis looks turned by the angle it is seen under.
 */
export function randomScene(random: Random, side: number, pose: Pose, framing: Framing, person?: Identity): Scene {
  const identity = person ?? randomIdentity(random.fork())
  const share = random.between(...framing.share)
  const distance = random.between(45, 180)
  const room = framing.stray * 0.5 * (1 - share)
  const offset = () => (0.5 + random.between(-room, room)) * side
  return {
    identity,
    rotation: headRotation(pose),
    at: [0, 0, distance],
    body: randomBody(random, pose),
    light: randomLight(random.fork()),
    camera: {
      width: side,
      height: side,
      focal: (share * side * distance) / headHeight,
      centreX: offset(),
      centreY: offset(),
    },
    exposure: random.between(0.65, 1.25),
    noise: random.chance(0.5) ? random.between(0, 4) : 0,
  }
}

/** Bodies follow their heads a little, and not always. */
export function randomBody(random: Random, pose: Pose): Pose {
  const follow = random.between(0, 0.5)
  return {
    yaw: follow * pose.yaw + 14 * random.bell(),
    pitch: -5 + 4 * random.bell() + 0.2 * follow * pose.pitch,
    roll: 0.3 * follow * pose.roll + 4 * random.bell(),
  }
}
