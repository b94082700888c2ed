/** What a triangle is made of; the shader has a colour for each. */
export const materials = { face: 0, scalp: 1, ear: 2, hair: 3, glasses: 4, lens: 5, neck: 6, cloth: 7 } as const
export type Material = (typeof materials)[keyof typeof materials]

/** The materials up to this one belong to the head, the others to what carries it. */
export const lastOfHead: Material = materials.lens

/** Triangles of one material. Coordinates in centimetres. */
export interface Mesh {
  readonly material: Material
  /** Seen from both sides; a closed body shows only its outside. */
  readonly twoSided: boolean
  /** x, y, z per vertex. */
  readonly positions: Float64Array
  /** Unit length, outwards. */
  readonly normals: Float64Array
  /** Three numbers per vertex that stay with the surface however it moves: texture coordinates, or where it rested. */
  readonly marks: Float64Array
  readonly triangles: Uint32Array
}

/** The triangles of a grid of `rows` × `columns` vertices, whose last column meets the first when `closed`. */
export function gridTriangles(rows: number, columns: number, closed: boolean): Uint32Array {
  const triangles: number[] = []
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column < (closed ? columns : columns - 1); column++) {
      const next = (column + 1) % columns
      const [a, b] = [row * columns + column, row * columns + next]
      triangles.push(a, b, b + columns, a, b + columns, a + columns)
    }
  }
  return Uint32Array.from(triangles)
}

/** Normals of a smooth surface: the area-weighted mean of those of the triangles around each vertex. */
export function smoothNormals(positions: Float64Array, triangles: Uint32Array): Float64Array {
  const normals = new Float64Array(positions.length)
  for (let at = 0; at < triangles.length; at += 3) {
    const [a, b, c] = [3 * triangles[at]!, 3 * triangles[at + 1]!, 3 * triangles[at + 2]!]
    const [x, y, z] = [positions[a]!, positions[a + 1]!, positions[a + 2]!]
    const [ux, uy, uz] = [positions[b]! - x, positions[b + 1]! - y, positions[b + 2]! - z]
    const [vx, vy, vz] = [positions[c]! - x, positions[c + 1]! - y, positions[c + 2]! - z]
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
    for (const to of [a, b, c]) {
      normals[to] = normals[to]! + nx
      normals[to + 1] = normals[to + 1]! + ny
      normals[to + 2] = normals[to + 2]! + nz
    }
  }
  for (let at = 0; at < normals.length; at += 3) {
    const [x, y, z] = [normals[at]!, normals[at + 1]!, normals[at + 2]!]
    const length = Math.sqrt(x * x + y * y + z * z) || 1
    normals[at] = x / length
    normals[at + 1] = y / length
    normals[at + 2] = z / length
  }
  return normals
}
