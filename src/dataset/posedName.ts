import { z } from 'zod'
import { angleNames, isLabelAngle, type AngleName, type Pose } from '../pose/euler.ts'

/** The flag `--filename-angles`. */
export const filenameAnglesFlag = z
  .enum(['yaw,pitch,roll', 'yaw,roll,pitch', 'pitch,yaw,roll', 'pitch,roll,yaw', 'roll,yaw,pitch', 'roll,pitch,yaw'])
  .default('yaw,pitch,roll')
  .meta({
    group: 'data',
    placeholder: 'ORDER',
    description: 'What the three numbers of such a file name mean, in order.',
  })

/** The option that it becomes. */
export const filenameAngles = z.array(z.enum(angleNames)).length(3)

/** `yaw,pitch,roll` as a list. */
export function angleOrder(text: z.output<typeof filenameAnglesFlag>): AngleName[] {
  return text.split(',').filter((name) => isAngle(name))
}

function isAngle(text: string): text is AngleName {
  return angleNames.some((name) => name === text)
}

/**
 * `BIWI00009409_-17_+1_+17.png`: a name, the frame's number, three angles in degrees. Every angle carries its sign;
 * without that rule `IMG_2024_01_02.jpg` would be a pose.
 */
const posedName =
  /(?<frame>\d+)_(?<first>[+-]\d+(?:\.\d+)?)_(?<second>[+-]\d+(?:\.\d+)?)_(?<third>[+-]\d+(?:\.\d+)?)\.\w+$/

/** The pose that a key or path spells, its angles in `order`; null when it spells none, or an angle that is none. */
export function poseInName(key: string, order: readonly AngleName[]): Pose | null {
  return readPosedName(key, order)?.pose ?? null
}

/** As `poseInName`, with the frame's number as it is written; `pose` is null when an angle can be none. */
export function readPosedName(key: string, order: readonly AngleName[]): { pose: Pose | null; frame: string } | null {
  const parts = posedName.exec(key)?.groups
  if (parts === undefined) return null
  // Adding 0 turns the −0 of `-0` into 0.
  const written = [parts['first'], parts['second'], parts['third']].map((angle) => Number(angle) + 0)
  const angle = (name: AngleName) => written[order.indexOf(name)] ?? NaN
  const pose = { yaw: angle('yaw'), pitch: angle('pitch'), roll: angle('roll') }
  return { pose: Object.values(pose).every(isLabelAngle) ? pose : null, frame: parts['frame'] ?? '' }
}
