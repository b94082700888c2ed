import type { Glasses } from './identity.ts'

interface Shape {
  readonly positions: Float64Array
  readonly triangles: Uint32Array
}

type Point = [number, number, number]

const corners = 24

/** Rims, bridge and arms as wires, and the two lenses, on the head at rest. */
export function glassesMesh(glasses: Glasses): { frame: Shape; lenses: Shape } {
  const rims = ([-1, 1] as const).map((side) => rim(glasses, side))
  const [right, left] = rims as [Point[], Point[]]
  const [inner, outer] = [0, corners / 2] as const
  const paths = [
    { points: right, closed: true },
    { points: left, closed: true },
    { points: [right[inner]!, [0, -1.7, -8.6] as Point, left[inner]!], closed: false },
    ...([right, left] as const).map((points, index) => {
      const side = index === 0 ? -1 : 1
      const hinge = points[outer]!
      return {
        points: [hinge, [side * 7.9, -0.9, -4.6] as Point, [side * 8.4, -0.7, 0.6], [side * 8.3, 0.6, 2.6]] as Point[],
        closed: false,
      }
    }),
  ]
  return {
    frame: join(paths.map(({ points, closed }) => wire(points, closed, glasses.wire))),
    lenses: join(rims.map(disc)),
  }
}

/** From the corner at the nose round to the temple and back. */
function rim({ halfWidth, halfHeight, squareness }: Glasses, side: 1 | -1): Point[] {
  return Array.from({ length: corners }, (_, corner): Point => {
    const angle = (2 * Math.PI * corner) / corners
    const [c, s] = [Math.cos(angle), Math.sin(angle)]
    const power = 2 / squareness
    const along = -Math.sign(c) * Math.pow(Math.abs(c), power) * halfWidth
    const down = Math.sign(s) * Math.pow(Math.abs(s), power) * halfHeight
    const x = 3.35 + along
    return [side * x, -0.5 + down, -8.1 + 0.05 * x * x]
  })
}

function wire(points: readonly Point[], closed: boolean, radius: number): Shape {
  const positions: number[] = []
  const triangles: number[] = []
  const at = (index: number) => points[closed ? (index + points.length) % points.length : Math.min(points.length - 1, Math.max(0, index))]! // prettier-ignore
  for (let index = 0; index < points.length; index++) {
    const [before, here, after] = [at(index - 1), at(index), at(index + 1)]
    const along = unit([after[0] - before[0], after[1] - before[1], after[2] - before[2]])
    const aside = unit(cross(along, Math.abs(along[2]) > 0.8 ? [0, 1, 0] : [0, 0, 1]))
    const up = cross(aside, along)
    for (const [a, b] of [
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, -1],
    ] as const) {
      // prettier-ignore
      for (const axis of [0, 1, 2] as const) positions.push(here[axis] + radius * (a * aside[axis] + b * up[axis]))
    }
  }
  for (let index = 0; index < (closed ? points.length : points.length - 1); index++) {
    const next = (index + 1) % points.length
    for (let edge = 0; edge < 4; edge++) {
      const [a, b] = [4 * index + edge, 4 * index + ((edge + 1) % 4)]
      const [c, d] = [4 * next + ((edge + 1) % 4), 4 * next + edge]
      triangles.push(a, b, c, a, c, d)
    }
  }
  return { positions: Float64Array.from(positions), triangles: Uint32Array.from(triangles) }
}

function disc(points: readonly Point[]): Shape {
  const middle = [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + point[axis]!, 0) / points.length)
  const triangles = points.flatMap((_, index) => [index + 1, ((index + 1) % points.length) + 1, 0])
  return { positions: Float64Array.from([...middle, ...points.flat()]), triangles: Uint32Array.from(triangles) }
}

function join(shapes: readonly Shape[]): Shape {
  const triangles: number[] = []
  let vertices = 0
  for (const shape of shapes) {
    for (const vertex of shape.triangles) triangles.push(vertex + vertices)
    vertices += shape.positions.length / 3
  }
  return {
    positions: Float64Array.from(shapes.flatMap((shape) => [...shape.positions])),
    triangles: Uint32Array.from(triangles),
  }
}

function cross(a: Point, b: Point): Point {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

function unit([x, y, z]: Point): Point {
  const length = Math.sqrt(x * x + y * y + z * z) || 1
  return [x / length, y / length, z / length]
}
