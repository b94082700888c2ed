import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The canonical face of `@mediapipe/face_mesh`, in the head's axes. */
export interface FaceMesh {
  /** x, y, z per vertex, centimetres from the head's centre. */
  readonly positions: Float64Array
  /** u, v per vertex in [0, 1]; v runs down the face. */
  readonly uv: Float64Array
  /** Three vertices per triangle. */
  readonly triangles: Uint32Array
}

/** Where the package's axes (x right, y up, z to the camera) have the point that heads turn about. */
const centre = { y: 2, z: -2 } as const

/** The mesh inside the package's file of assets: a protobuf of fields 3 (vertices) and 4 (indices) in a field 1. */
const asset = { file: 'face_mesh_solution_packed_assets.data', from: 3_737_848, to: 3_757_224 } as const

/** Reads the mesh from the installed package, which keeps it out of this repository. */
export function readFaceMesh(): FaceMesh {
  const path = createRequire(import.meta.url).resolve(`@mediapipe/face_mesh/${asset.file}`)
  const bytes = readFileSync(path).subarray(asset.from, asset.to)
  const geometry = fields(bytes).find(({ number }) => number === 1)
  if (!(geometry?.value instanceof Uint8Array)) throw new Error(`${path} does not hold the face mesh where it used to`)
  const parts = fields(geometry.value)
  const numbers = (wanted: number) => parts.flatMap(({ number, value }) => (number === wanted ? [value] : []))
  const vertices = new Float32Array(Uint32Array.from(numbers(3).map(Number)).buffer)
  const triangles = Uint32Array.from(numbers(4).map(Number))
  if (vertices.length !== 468 * 5 || triangles.length !== 898 * 3) throw new Error(`${path} holds another mesh`)

  const positions = new Float64Array(468 * 3)
  const uv = new Float64Array(468 * 2)
  for (let vertex = 0; vertex < 468; vertex++) {
    const [x = 0, y = 0, z = 0, u = 0, v = 0] = vertices.subarray(5 * vertex, 5 * vertex + 5)
    positions.set([x, centre.y - y, centre.z - z], 3 * vertex)
    uv.set([u, v], 2 * vertex)
  }
  return { positions, uv, triangles }
}

/** The fields of a protobuf message; 32-bit values as their bits. */
function fields(bytes: Uint8Array): { number: number; value: number | Uint8Array }[] {
  const found: { number: number; value: number | Uint8Array }[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = view.getUint8(at++)
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = varint()
    const number = key >> 3
    switch (key & 7) {
      case 0:
        found.push({ number, value: varint() })
        break
      case 2: {
        const length = varint()
        found.push({ number, value: bytes.subarray(at, at + length) })
        at += length
        break
      }
      case 5:
        found.push({ number, value: view.getUint32(at, true) })
        at += 4
        break
      default:
        throw new Error(`a protobuf field of wire type ${key & 7} does not occur in a mesh`)
    }
  }
  return found
}

/** Closed loops of vertices, in order. `right` is the person's own right: the image's left when they look at us. */
export const contours = {
  oval: [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
  ],
  rightEye: [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
  leftEye: [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466],
  rightBrow: [46, 53, 52, 65, 55, 107, 66, 105, 63, 70],
  leftBrow: [276, 283, 282, 295, 285, 336, 296, 334, 293, 300],
  lips: [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185],
  mouth: [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191],
} as const satisfies Record<string, readonly number[]>
