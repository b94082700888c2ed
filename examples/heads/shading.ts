import type { Paint } from './faceColour.ts'
import type { Light } from './light.ts'
import type { Mesh } from './mesh.ts'
import type { Camera, Samples } from './rasterizer.ts'

const marks = new Float64Array(5)

/** How far light wraps around the edge of shadow, as it does in skin. */
const wrap = 0.25

/** The linear light that comes from one sample of a mesh, into `colour`. */
export function shade(
  mesh: Mesh,
  paint: Paint,
  samples: Samples,
  at: number,
  light: Light,
  camera: Camera,
  colour: Float64Array,
): void {
  const { triangles, normals } = mesh
  const triangle = samples.triangle[at]!
  const second = samples.second[at]!
  const third = samples.third[at]!
  const first = 1 - second - third
  const a = triangles[triangle]!
  const b = triangles[triangle + 1]!
  const c = triangles[triangle + 2]!
  for (let mark = 0, ofA = 5 * a, ofB = 5 * b, ofC = 5 * c; mark < 5; mark++, ofA++, ofB++, ofC++) {
    marks[mark] = mesh.marks[ofA]! * first + mesh.marks[ofB]! * second + mesh.marks[ofC]! * third
  }
  let nx = normals[3 * a]! * first + normals[3 * b]! * second + normals[3 * c]! * third
  let ny = normals[3 * a + 1]! * first + normals[3 * b + 1]! * second + normals[3 * c + 1]! * third
  let nz = normals[3 * a + 2]! * first + normals[3 * b + 2]! * second + normals[3 * c + 2]! * third
  // Towards the eye, as a unit vector.
  const near = samples.nearness[at]!
  const column = at % samples.width
  const row = (at - column) / samples.width
  let vx = (camera.centreX - column) / camera.focal
  let vy = (camera.centreY - row) / camera.focal
  const vz = -1 / Math.sqrt(vx * vx + vy * vy + 1)
  vx *= -vz
  vy *= -vz
  const facing = mesh.twoSided && near > 0 && nx * vx + ny * vy + nz * vz < 0 ? -1 : 1
  const length = facing / (Math.sqrt(nx * nx + ny * ny + nz * nz) || 1)
  nx *= length
  ny *= length
  nz *= length

  const gloss = paint(marks, colour)
  const up = 0.5 - 0.5 * ny
  let red = light.ground[0] + (light.sky[0] - light.ground[0]) * up
  let green = light.ground[1] + (light.sky[1] - light.ground[1]) * up
  let blue = light.ground[2] + (light.sky[2] - light.ground[2]) * up
  let mirrored = 0
  for (let index = 0; index < light.lamps.length; index++) {
    const lamp = light.lamps[index]!.colour
    const towards = light.lamps[index]!.towards
    const lx = towards[0]
    const ly = towards[1]
    const lz = towards[2]
    const lit = (nx * lx + ny * ly + nz * lz + wrap) / (1 + wrap)
    if (lit <= 0) continue
    red += lamp[0] * lit
    green += lamp[1] * lit
    blue += lamp[2] * lit
    const hx = lx + vx
    const hy = ly + vy
    const hz = lz + vz
    const half = (nx * hx + ny * hy + nz * hz) / Math.sqrt(hx * hx + hy * hy + hz * hz)
    if (half <= 0) continue
    const square = half * half
    const eighth = square * square * square * square
    mirrored += lamp[1] * gloss * eighth * eighth * square
  }
  colour[0] = colour[0]! * red + mirrored
  colour[1] = colour[1]! * green + mirrored
  colour[2] = colour[2]! * blue + mirrored
}
