import type { Pose } from '../../src/pose/euler.ts'
import { randomBackground } from './background.ts'
import { neck, neckTriangles, shoulders, torsoTriangles, type Carriage } from './body.ts'
import { bakeFaceLayers } from './faceLayers.ts'
import { readFaceMesh } from './faceMesh.ts'
import { buildHeadSurface, type HeadSurface } from './headSurface.ts'
import type { Identity } from './identity.ts'
import type { Light } from './light.ts'
import { lastOfHead, materials, smoothNormals, type Material, type Mesh } from './mesh.ts'
import { paintsOf } from './paints.ts'
import { headMeshes } from './person.ts'
import type { Random } from './random.ts'
import { Samples, type Camera } from './rasterizer.ts'
import { headRotation, type Matrix, type Vector } from './rotation.ts'
import { shade } from './shading.ts'

/** One head before one camera. */
export interface Scene {
  readonly identity: Identity
  /** Turns the head into the camera's axes. */
  readonly rotation: Matrix
  /** The head's centre in the camera's axes, centimetres. */
  readonly at: Vector
  /** How far the body turns away from the camera, whatever the head does. */
  readonly body: Pose
  readonly light: Light
  /** In pixels. */
  readonly camera: Camera
  /** Factor on linear light, and standard deviation of the sensor's noise in 8-bit steps. */
  readonly exposure: number
  readonly noise: number
}

export interface Picture {
  readonly width: number
  readonly height: number
  /** height × width × 3, 8-bit sRGB-like (gamma 2). */
  readonly pixels: Uint8Array
  /** height × width: 255 where the picture shows the head (face, ears, hair, glasses), 0 on neck, body and background. */
  readonly mask: Uint8Array
}

/** Samples per pixel along each axis. */
const perPixel = 2

/** Made once, a third of a second: the same for every renderer, and never changed. */
let everybody: { surface: HeadSurface; layers: Float32Array } | undefined

/**
 * Renders heads. Holds the mesh, the baked texture and buffers, so one renderer serves many pictures in turn. Sines and
 * the like come from V8's own code, not from the system's library: one version of Node gives the same bytes everywhere.
 */
export class Renderer {
  readonly #surface: HeadSurface
  readonly #layers: Float32Array
  #samples = new Samples(0, 0)

  constructor() {
    everybody ??= { surface: buildHeadSurface(), layers: bakeFaceLayers(readFaceMesh()) }
    this.#surface = everybody.surface
    this.#layers = everybody.layers
  }

  /** `random` gives background and noise. The same scene and source give the same bytes. */
  render(scene: Scene, random: Random): Picture {
    const { camera, identity } = scene
    const { width, height } = camera
    const samples = this.#samplesFor(width * perPixel, height * perPixel)
    const meshes = sceneMeshes(this.#surface, scene)
    const inSamples: Camera = {
      width: samples.width,
      height: samples.height,
      focal: camera.focal * perPixel,
      centreX: camera.centreX * perPixel,
      centreY: camera.centreY * perPixel,
    }
    samples.clear()
    for (const [index, mesh] of meshes.entries()) samples.draw(mesh, index, inSamples)

    const light = randomBackground(random, width, height)
    const paints = paintsOf(this.#layers, identity)
    const mask = new Uint8Array(width * height)
    const colour = new Float64Array(3)
    for (let y = 0, pixel = 0; y < height; y++) {
      for (let x = 0; x < width; x++, pixel++) {
        const corner = y * perPixel * samples.width + x * perPixel
        const first = samples.mesh[corner]!
        const second = samples.mesh[corner + 1]!
        const third = samples.mesh[corner + samples.width]!
        const last = samples.mesh[corner + samples.width + 1]!
        const within = first === second && first === third && first === last
        if (within && first < 0) continue
        let red = 0
        let green = 0
        let blue = 0
        let shaded = 0
        let bare = 0
        let head = 0
        for (let sample = 0; sample < perPixel * perPixel; sample++) {
          const at = corner + (sample >> 1) * samples.width + (sample & 1)
          const mesh = meshes[samples.mesh[at]!]
          if (mesh === undefined) bare++
          else if (mesh.material <= lastOfHead) head++
          // Two samples on a diagonal do where nothing but one surface is seen.
          if (mesh === undefined || (within && (sample === 1 || sample === 2))) continue
          shaded++
          shade(mesh, paints[mesh.material]!, samples, at, scene.light, inSamples, colour)
          red += colour[0]!
          green += colour[1]!
          blue += colour[2]!
        }
        const behind = bare / (perPixel * perPixel)
        const before = shaded === 0 ? 0 : (1 - behind) / shaded
        light[3 * pixel] = light[3 * pixel]! * behind + red * before
        light[3 * pixel + 1] = light[3 * pixel + 1]! * behind + green * before
        light[3 * pixel + 2] = light[3 * pixel + 2]! * behind + blue * before
        if (2 * head >= perPixel * perPixel) mask[pixel] = 255
      }
    }
    return { width, height, pixels: expose(light, scene.exposure, scene.noise, random), mask }
  }

  #samplesFor(width: number, height: number): Samples {
    if (this.#samples.width !== width || this.#samples.height !== height) this.#samples = new Samples(width, height)
    return this.#samples
  }
}

function sceneMeshes(surface: HeadSurface, scene: Scene): Mesh[] {
  const { identity, rotation, at } = scene
  const carriage: Carriage = {
    head: rotation,
    at,
    body: headRotation(scene.body),
    neckWidth: identity.neckWidth,
    collar: identity.collar,
  }
  const turned = new Map<Float64Array, Float64Array>()
  const once = (points: Float64Array, move: Vector) => {
    const done = turned.get(points) ?? turn(points, rotation, move)
    turned.set(points, done)
    return done
  }
  const head = headMeshes(surface, identity).map(
    ({ material, twoSided, positions, normals, marks, triangles }): Mesh => ({
      material,
      twoSided,
      positions: once(positions, at),
      normals: once(normals, [0, 0, 0]),
      marks,
      triangles,
    }),
  )
  const fixed = (
    material: Material,
    shape: { positions: Float64Array; marks: Float64Array },
    triangles: Uint32Array,
  ) => {
    const { positions, marks } = shape
    // Not in another order: objects of one shape are read much faster in the loop over all samples.
    return { material, twoSided: true, positions, normals: smoothNormals(positions, triangles), marks, triangles }
  }
  return [
    ...head,
    fixed(materials.neck, neck(carriage), neckTriangles),
    fixed(materials.cloth, shoulders(carriage), torsoTriangles),
  ]
}

function turn(points: Float64Array, m: Matrix, [tx, ty, tz]: Vector): Float64Array {
  const turned = new Float64Array(points.length)
  for (let at = 0; at < points.length; at += 3) {
    const [x, y, z] = [points[at]!, points[at + 1]!, points[at + 2]!]
    turned[at] = m[0] * x + m[1] * y + m[2] * z + tx
    turned[at + 1] = m[3] * x + m[4] * y + m[5] * z + ty
    turned[at + 2] = m[6] * x + m[7] * y + m[8] * z + tz
  }
  return turned
}

/** Linear light to 8 bits. The square root stands for sRGB's curve: unlike a power it is exact on every machine. */
function expose(light: Float32Array, exposure: number, noise: number, random: Random): Uint8Array {
  const pixels = new Uint8Array(light.length)
  for (let at = 0; at < light.length; at++) {
    const value = 255 * Math.sqrt(light[at]! * exposure) + 0.5 + (noise > 0 ? noise * random.bell() : 0)
    pixels[at] = value <= 0 ? 0 : value >= 255 ? 255 : value
  }
  return pixels
}
