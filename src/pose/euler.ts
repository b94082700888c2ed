/** An angle in degrees. */
export type Degrees = number

export const angleNames = ['yaw', 'pitch', 'roll'] as const
export type AngleName = (typeof angleNames)[number]

/**
 * Head pose in the Hopenet/BIWI convention: +yaw, the nose points to the image's left; +pitch, the nose points up;
 * +roll, the head turns clockwise on the screen.
 */
export type Pose = Readonly<Record<AngleName, Degrees>>

/**
 * Whether a number can be an angle of a label: at most one turn either way, whatever the layout. Some count from 0 to
 * 360, and AFLW2000-3D goes beyond ±180 in places; more is a slip, such as a pixel in an angle's column.
 */
export function isLabelAngle(degrees: Degrees): boolean {
  return Math.abs(degrees) <= 360
}

/** Signed error `estimate − label`, wrapped to [−180, 180). */
export function angleError(estimate: Degrees, label: Degrees): Degrees {
  const turned = (estimate - label + 180) % 360
  return (turned < 0 ? turned + 360 : turned) - 180
}
