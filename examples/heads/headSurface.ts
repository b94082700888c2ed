import { contours, readFaceMesh } from './faceMesh.ts'

/**
 * The closed surface of a bald head at rest: the face mesh, and a skull drawn out of the face's rim. Drawing it out of
 * the rim leaves no seam; an ellipsoid pushed into the face from behind would show a jagged one.
 */
export interface HeadSurface {
  /** x, y, z per vertex. */
  readonly positions: Float64Array
  /** x, y, z at rest, then u, v; the skull has no u, v. */
  readonly marks: Float64Array
  readonly faceTriangles: Uint32Array
  readonly skullTriangles: Uint32Array
}

/** Where the skull's meridians start from, and the ellipsoid that they approach. */
const middle = [0, -2, 1.5] as const
const cranium = { centre: [0, -3, 1.6], radii: [7.6, 9.7, 9.7] } as const
const rings = 14

export function buildHeadSurface(): HeadSurface {
  const face = readFaceMesh()
  const faceVertices = face.positions.length / 3
  const rim: readonly number[] = contours.oval
  const positions = new Float64Array(3 * (faceVertices + rings * rim.length))
  positions.set(face.positions)
  for (const [column, vertex] of rim.entries()) {
    const [x, y, z] = [0, 1, 2].map((axis) => face.positions[3 * vertex + axis]! - middle[axis]!) as [
      number,
      number,
      number,
    ]
    const across = Math.sqrt(x * x + y * y)
    const start = Math.atan2(across, z)
    const distance = Math.sqrt(across * across + z * z)
    // Below the jaw the surface turns in at once; above the forehead it goes on as the forehead does.
    const turn = y > 0 ? 1.6 + (2.4 * y) / distance : 1.6
    for (let ring = 1; ring <= rings; ring++) {
      const t = ring / rings
      const polar = start * (1 - t)
      const direction = [(Math.sin(polar) * x) / across, (Math.sin(polar) * y) / across, Math.cos(polar)] as const
      const rest = Math.pow(1 - t, turn)
      const radius = distance * rest + craniumRadius(direction) * (1 - rest)
      const to = 3 * (faceVertices + (ring - 1) * rim.length + column)
      for (const axis of [0, 1, 2] as const) positions[to + axis] = middle[axis] + radius * direction[axis]
    }
  }

  const marks = new Float64Array((5 * positions.length) / 3)
  for (let vertex = 0; 3 * vertex < positions.length; vertex++) {
    marks.set(positions.subarray(3 * vertex, 3 * vertex + 3), 5 * vertex)
    if (vertex < faceVertices) marks.set(face.uv.subarray(2 * vertex, 2 * vertex + 2), 5 * vertex + 3)
  }
  const vertexAt = (ring: number, column: number) => {
    const wrapped = column % rim.length
    return ring === 0 ? rim[wrapped]! : faceVertices + (ring - 1) * rim.length + wrapped
  }
  const skull: number[] = []
  for (let ring = 0; ring < rings; ring++) {
    for (let column = 0; column < rim.length; column++) {
      const [a, b] = [vertexAt(ring, column), vertexAt(ring, column + 1)]
      const [c, d] = [vertexAt(ring + 1, column + 1), vertexAt(ring + 1, column)]
      skull.push(a, b, c, a, c, d)
    }
  }
  return { positions, marks, faceTriangles: face.triangles, skullTriangles: Uint32Array.from(skull) }
}

/** Distance from `middle` to the ellipsoid along a unit vector. */
function craniumRadius(direction: readonly [number, number, number]): number {
  let [square, linear, constant] = [0, 0, -1]
  for (const axis of [0, 1, 2] as const) {
    const scale = 1 / (cranium.radii[axis] * cranium.radii[axis])
    const offset = middle[axis] - cranium.centre[axis]
    square += direction[axis] * direction[axis] * scale
    linear += direction[axis] * offset * scale
    constant += offset * offset * scale
  }
  return (-linear + Math.sqrt(linear * linear - square * constant)) / square
}
