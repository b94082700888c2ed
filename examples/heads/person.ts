import { ear, earTriangles } from './ear.ts'
import { glassesMesh } from './glassesMesh.ts'
import { liftHair, longHair, longHairTriangles } from './hair.ts'
import type { HeadSurface } from './headSurface.ts'
import type { Identity } from './identity.ts'
import { materials, smoothNormals, type Material, type Mesh } from './mesh.ts'

/** A person's head in its own axes, to be turned into the camera's. */
export function headMeshes(surface: HeadSurface, identity: Identity): Mesh[] {
  const { warp, hair, glasses } = identity
  const positions = surface.positions.slice()
  warp(positions)
  liftHair(positions, surface.marks, hair)
  // Face and skull are one surface, so their normals are made together and the rim does not show.
  const all = new Uint32Array(surface.faceTriangles.length + surface.skullTriangles.length)
  all.set(surface.faceTriangles)
  all.set(surface.skullTriangles, surface.faceTriangles.length)
  const skin = { twoSided: false, positions, normals: smoothNormals(positions, all), marks: surface.marks }
  const meshes: Mesh[] = [
    { ...skin, material: materials.face, triangles: surface.faceTriangles },
    { ...skin, material: materials.scalp, triangles: surface.skullTriangles },
  ]
  const add = (material: Material, resting: Float64Array, triangles: Uint32Array, marks?: Float64Array) => {
    const moved = resting.slice()
    warp(moved)
    const normals = smoothNormals(moved, triangles)
    meshes.push({ material, twoSided: true, positions: moved, normals, marks: marks ?? resting5(resting), triangles })
  }
  const covered = hair.kind === 'long' && hair.reach > 1.5
  for (const side of covered ? [] : ([-1, 1] as const)) {
    const { positions: resting, marks } = ear(side, identity.earSize)
    add(materials.ear, resting, earTriangles(side), marks)
  }
  if (hair.kind === 'long') add(materials.hair, longHair(hair), longHairTriangles)
  if (glasses) {
    const { frame, lenses } = glassesMesh(glasses)
    add(materials.glasses, frame.positions, frame.triangles)
    if (glasses.dark) add(materials.lens, lenses.positions, lenses.triangles)
  }
  return meshes
}

function resting5(positions: Float64Array): Float64Array {
  const marks = new Float64Array((5 * positions.length) / 3)
  for (let at = 0, to = 0; at < positions.length; at += 3, to += 5) marks.set(positions.subarray(at, at + 3), to)
  return marks
}
