import type { Rotation } from '../pose/geodesic.ts'

type Vector = readonly [number, number, number]

/** A rotation, and a shift in mm after it. */
export interface Placement {
  readonly rotation: Rotation
  readonly translation: Vector
}

/** The colour camera: its pinhole in pixels, and what turns the depth camera's axes into its own. */
export interface Calibration extends Placement {
  readonly focalX: number
  readonly focalY: number
  readonly centreX: number
  readonly centreY: number
}

/** A text that is not laid out as the dataset's own files are. */
export class BiwiFileError extends Error {}

/** `frame_NNNNN_pose.txt`: three rows of the head's rotation, a blank line, the head's centre in mm. */
export function parsePose(text: string): Placement {
  const rows = filledLines(text)
  return { rotation: rotationAt(rows, 0), translation: vectorAt(rows, 3) }
}

/**
 * `rgb.cal`: the intrinsic matrix, a line of distortion (all zero in the dataset, not used), the rotation (lines 7–9)
 * and the translation in mm (line 11) from the depth camera to the colour camera, blank lines in between.
 */
export function parseCalibration(text: string): Calibration {
  const rows = filledLines(text)
  const [first, second] = [vectorAt(rows, 0), vectorAt(rows, 1)]
  const [focalX, , centreX] = first
  const [, focalY, centreY] = second
  if (!(focalX > 0 && focalY > 0)) throw new BiwiFileError('its focal length is not positive')
  return { focalX, focalY, centreX, centreY, rotation: rotationAt(rows, 4), translation: vectorAt(rows, 7) }
}

function filledLines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}

function vectorAt(rows: readonly string[], at: number): Vector {
  const words = (rows[at] ?? '').trim().split(/\s+/)
  const [a = NaN, b = NaN, c = NaN] = words.map((word) => (word === '' ? NaN : Number(word)))
  if (words.length === 3 && [a, b, c].every(Number.isFinite)) return [a, b, c]
  throw new BiwiFileError(`its filled line ${at + 1} does not hold three numbers`)
}

/** What six printed digits leave of unit length and right angles, and a good deal more. */
const tolerance = 0.01

function rotationAt(rows: readonly string[], at: number): Rotation {
  const [a, b, c] = [vectorAt(rows, at), vectorAt(rows, at + 1), vectorAt(rows, at + 2)]
  const isUnit = [a, b, c].every((row) => Math.abs(dot(row, row) - 1) < tolerance)
  const isSquare = [dot(a, b), dot(a, c), dot(b, c)].every((product) => Math.abs(product) < tolerance)
  const turned: Vector = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
  if (isUnit && isSquare && dot(turned, c) > 0) return [a, b, c]
  throw new BiwiFileError(`its filled lines ${at + 1} to ${at + 3} hold no rotation`)
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/** The placement as seen from the colour camera. */
export function intoColourCamera(head: Placement, { rotation, translation }: Calibration): Placement {
  const columns = [0, 1, 2].map((column) => head.rotation.map((row) => row[column]))
  const turned = rotation.map((row) => columns.map(([x = 0, y = 0, z = 0]) => dot(row, [x, y, z])))
  const [a, b, c] = rotation
  const [x, y, z] = translation
  return {
    rotation: [triple(turned[0]), triple(turned[1]), triple(turned[2])],
    translation: [dot(a, head.translation) + x, dot(b, head.translation) + y, dot(c, head.translation) + z],
  }
}

function triple(row: readonly number[] | undefined): Vector {
  const [x = 0, y = 0, z = 0] = row ?? []
  return [x, y, z]
}
