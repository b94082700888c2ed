/** An angle in degrees. */
export type Degrees = number

export const angleNames = ['yaw', 'pitch', 'roll'] as const
export type AngleName = (typeof angleNames)[number]

/**
 * Head pose in the Hopenet/BIWI convention: +yaw, the nose points to the image's left; +pitch, the nose points up;
 * +roll, the head turns clockwise on the screen.
 */
export type Pose = Readonly<Record<AngleName, Degrees>>

/** Signed error `estimate − label`, wrapped to [−180, 180). */
export function angleError(estimate: Degrees, label: Degrees): Degrees {
  const turned = (estimate - label + 180) % 360
  return (turned < 0 ? turned + 360 : turned) - 180
}
