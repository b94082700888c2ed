import type { Pose } from '../../src/pose/euler.ts'
import { Random, seedAt } from './random.ts'
import { Renderer, type Picture } from './renderer.ts'
import { closeUp, randomPose, randomScene, type Framing } from './scene.ts'

export interface PosedPicture {
  readonly picture: Picture
  readonly pose: Pose
}

/**
 * `count` pictures of `side` × `side`, each of another person in another pose, in the order of their number. Picture
 * number n is the same whatever `first` and `count` are. Angles are whole degrees where `whole` is set, so that a file
 * name can hold them without loss.
 */
export function* closeUps(options: {
  seed: number
  first?: number
  count: number
  side: number
  whole?: boolean
  framing?: Framing
}): Generator<PosedPicture> {
  const { seed, first = 0, count, side, whole = false, framing = closeUp } = options
  const renderer = new Renderer()
  for (let index = first; index < first + count; index++) {
    const random = new Random(seedAt(seed, index))
    const drawn = randomPose(random)
    const pose = whole ? { yaw: rounded(drawn.yaw), pitch: rounded(drawn.pitch), roll: rounded(drawn.roll) } : drawn
    yield { picture: renderer.render(randomScene(random, side, pose, framing), random), pose }
  }
}

/** To whole degrees, and never to −0. */
function rounded(degrees: number): number {
  return Math.round(degrees) + 0
}
