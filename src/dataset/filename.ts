import type { AngleName, Pose } from '../pose/euler.ts'
import type { Adapter } from './adapter.ts'
import { listImages, noTruth } from './images.ts'

/**
 * `BIWI00009409_-17_+1_+17.png`: a name, the frame's number, three angles in degrees. Every angle carries its sign;
 * without that rule `IMG_2024_01_02.jpg` would be a pose.
 */
const posedName =
  /(?<frame>\d+)_(?<first>[+-]\d+(?:\.\d+)?)_(?<second>[+-]\d+(?:\.\d+)?)_(?<third>[+-]\d+(?:\.\d+)?)\.\w+$/

/** The pose that a key or path spells, its angles in `order`; null when it spells none, or an angle beyond ±180°. */
export function poseInName(key: string, order: readonly AngleName[]): Pose | null {
  return parse(key, order)?.pose ?? null
}

/**
 * The origin's file names. That its three angles stand for yaw, pitch and roll in that order is a guess, so the order is
 * an option. A name that does not fit belongs to a plain image without a label: it is computed like any other and
 * counted in the summary's total, but not among the n samples of its errors. It is no `bad-label`, since nothing says
 * that a name without angles was meant to have some.
 */
export function filenameAdapter(order: readonly AngleName[], glob?: string): Adapter {
  return {
    name: 'filename',
    samples: listImages(glob),
    read: async (_dataset, sample) => ({ ...noTruth, ...parse(sample.key, order) }),
  }
}

function parse(key: string, order: readonly AngleName[]): { pose: Pose; frame: string } | null {
  const parts = posedName.exec(key)?.groups
  if (parts === undefined) return null
  // Adding 0 turns the −0 of `-0` into 0.
  const written = [parts['first'], parts['second'], parts['third']].map((angle) => Number(angle) + 0)
  const angle = (name: AngleName) => written[order.indexOf(name)] ?? NaN
  const pose = { yaw: angle('yaw'), pitch: angle('pitch'), roll: angle('roll') }
  const sane = Object.values(pose).every((degrees) => Math.abs(degrees) <= 180)
  return sane ? { pose, frame: parts['frame'] ?? '' } : null
}
