import { gridTriangles } from './mesh.ts'
import { apply, type Matrix, type Vector } from './rotation.ts'

const spokes = 24
const neckRings = 6

export const neckTriangles = gridTriangles(neckRings, spokes, true)

/** Height below the neck's foot, half width, half depth of the torso's rings, centimetres. */
const torso = [
  [-2.5, 6.2, 6.2],
  [0, 7.6, 7],
  [2, 11, 8.5],
  [4.5, 16.5, 10],
  [8, 20.5, 11.5],
  [14, 22.5, 13],
  [45, 22, 14],
] as const
export const torsoTriangles = gridTriangles(torso.length, spokes, true)

/** How a body carries a head: where the neck's joint is, and the body's own axes. */
export interface Carriage {
  readonly head: Matrix
  /** The head's centre in the camera's axes. */
  readonly at: Vector
  readonly body: Matrix
  readonly neckWidth: number
  readonly collar: number
}

/** From inside the skull down to the shoulders, in the camera's axes. A mark's first value runs from 0 (top) to 1. */
export function neck({ head, at, body, neckWidth }: Carriage): { positions: Float64Array; marks: Float64Array } {
  const positions = new Float64Array(3 * neckRings * spokes)
  const marks = new Float64Array(5 * neckRings * spokes)
  const foot = neckFoot(head, at, body)
  for (let spoke = 0; spoke < spokes; spoke++) {
    const angle = (2 * Math.PI * spoke) / spokes
    const [c, s] = [Math.cos(angle), Math.sin(angle)]
    // The upper end follows the skull: higher at the nape than under the chin.
    const upper = apply(head, [neckWidth * c, 5 - 1.5 * s, 3.2 + neckWidth * 0.95 * s], at)
    const lower = apply(body, [neckWidth * 1.15 * c, 1.5, neckWidth * 1.15 * s], foot)
    for (let ring = 0; ring < neckRings; ring++) {
      const t = ring / (neckRings - 1)
      const vertex = ring * spokes + spoke
      for (const axis of [0, 1, 2] as const) {
        // Narrower in the middle.
        const middle = apply(head, [0, 5, 3.2], at)[axis] + (foot[axis] - apply(head, [0, 5, 3.2], at)[axis]) * t
        const straight = upper[axis] + (lower[axis] - upper[axis]) * t
        positions[3 * vertex + axis] = straight + (middle - straight) * 0.12 * Math.sin(Math.PI * t)
      }
      marks[5 * vertex] = t
      marks[5 * vertex + 1] = c
    }
  }
  return { positions, marks }
}

/** Shoulders and chest, in the camera's axes. Marks: height below the neck's foot and the angle around. */
export function shoulders({ head, at, body, collar }: Carriage): { positions: Float64Array; marks: Float64Array } {
  const positions = new Float64Array(3 * torso.length * spokes)
  const marks = new Float64Array(5 * torso.length * spokes)
  const foot = neckFoot(head, at, body)
  for (const [ring, [height, width, depth]] of torso.entries()) {
    for (let spoke = 0; spoke < spokes; spoke++) {
      const angle = (2 * Math.PI * spoke) / spokes
      const [c, s] = [Math.cos(angle), Math.sin(angle)]
      // A neckline that is lower in front than behind.
      const low = ring < 3 ? (1 - s) * Math.max(0, collar) * 0.4 : 0
      const vertex = ring * spokes + spoke
      positions.set(apply(body, [width * c, height + low, depth * s + 1.5], foot), 3 * vertex)
      marks[5 * vertex] = height
      marks[5 * vertex + 1] = width * c
    }
  }
  return { positions, marks }
}

/** The neck's joint lies in the head and moves with it; the foot hangs below the joint, along the body. */
function neckFoot(head: Matrix, at: Vector, body: Matrix): Vector {
  return apply(body, [0, 9.5, 1.5], apply(head, [0, 6, 3], at))
}
