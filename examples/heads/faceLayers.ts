import { contours, type FaceMesh } from './faceMesh.ts'

/** Side of the square texture, and values per texel. */
export const layerSide = 256
export const layerCount = 8

/** Places in a texel's values. Depths are centimetres inside a contour, negative outside; the others are weights. */
export const layers = { eye: 0, lips: 1, brow: 2, mouth: 3, shade: 4, blush: 5, beard: 6, moustache: 7 } as const

/** Centimetres of skin per unit of u or v. */
export const centimetresPerUnit = 19

type Spot = readonly [u: number, v: number, acrossU: number, acrossV: number, weight: number]

/** Soft dark places: sockets, beside the nose, nostrils, the folds to the mouth, under the lower lip. */
const shadows: readonly Spot[] = [
  [0.36, 0.365, 0.07, 0.022, 0.3],
  [0.64, 0.365, 0.07, 0.022, 0.3],
  [0.425, 0.375, 0.03, 0.03, 0.3],
  [0.575, 0.375, 0.03, 0.03, 0.3],
  [0.36, 0.425, 0.05, 0.014, 0.12],
  [0.64, 0.425, 0.05, 0.014, 0.12],
  [0.458, 0.571, 0.017, 0.012, 0.8],
  [0.542, 0.571, 0.017, 0.012, 0.8],
  [0.393, 0.545, 0.014, 0.03, 0.35],
  [0.607, 0.545, 0.014, 0.03, 0.35],
  [0.36, 0.62, 0.014, 0.05, 0.16],
  [0.64, 0.62, 0.014, 0.05, 0.16],
  [0.5, 0.775, 0.06, 0.014, 0.25],
  [0.5, 0.625, 0.012, 0.02, 0.14],
]
const blushes: readonly Spot[] = [
  [0.27, 0.52, 0.1, 0.08, 1],
  [0.73, 0.52, 0.1, 0.08, 1],
  [0.5, 0.53, 0.05, 0.05, 0.8],
]

/** What the face's texture knows at each place, for every identity alike; the shader colours it. */
export function bakeFaceLayers(mesh: FaceMesh): Float32Array {
  const baked = new Float32Array(layerSide * layerSide * layerCount)
  const loops = Object.fromEntries(
    Object.entries(contours).map(([name, vertices]) => [name, loopOf(vertices, mesh)]),
  ) as Record<keyof typeof contours, Loop>

  for (let row = 0; row < layerSide; row++) {
    for (let column = 0; column < layerSide; column++) {
      const [u, v] = [(column + 0.5) / layerSide, (row + 0.5) / layerSide]
      const to = (row * layerSide + column) * layerCount
      const side = u < 0.5 ? 'right' : 'left'
      const depth = (loop: keyof typeof contours) => depthInside(loops[loop], u, v) * centimetresPerUnit
      baked[to + layers.eye] = depth(`${side}Eye`)
      baked[to + layers.brow] = depth(`${side}Brow`)
      const lips = depth('lips')
      baked[to + layers.lips] = lips
      baked[to + layers.mouth] = depth('mouth')
      baked[to + layers.shade] = spots(shadows, u, v)
      baked[to + layers.blush] = spots(blushes, u, v)
      // Below a line from the ear to the corner of the mouth, and not on the lips.
      const aside = Math.abs(u - 0.5)
      const off = ramp(-lips, 0, 0.35)
      baked[to + layers.beard] = ramp(v - (0.745 - 0.55 * Math.max(0, aside - 0.16) - 0.1 * aside), 0, 0.05) * off
      baked[to + layers.moustache] = off * ramp(v, 0.598, 0.615) * ramp(-v, -0.74, -0.7) * ramp(-aside, -0.15, -0.11)
    }
  }
  return baked
}

function spots(all: readonly Spot[], u: number, v: number): number {
  let sum = 0
  for (const [atU, atV, acrossU, acrossV, weight] of all) {
    const [x, y] = [(u - atU) / acrossU, (v - atV) / acrossV]
    sum += weight * Math.exp(-x * x - y * y)
  }
  return sum
}

export function ramp(value: number, from: number, to: number): number {
  const t = (value - from) / (to - from)
  return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t)
}

interface Loop {
  readonly points: readonly (readonly [u: number, v: number])[]
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

function loopOf(vertices: readonly number[], mesh: FaceMesh): Loop {
  const points = vertices.map((vertex) => [mesh.uv[2 * vertex]!, mesh.uv[2 * vertex + 1]!] as const)
  const [us, vs] = [points.map(([u]) => u), points.map(([, v]) => v)]
  return { points, left: Math.min(...us), right: Math.max(...us), top: Math.min(...vs), bottom: Math.max(...vs) }
}

/** Distance to the polygon's edge, positive inside; far outside it does not matter. */
function depthInside({ points: loop, left, right, top, bottom }: Loop, u: number, v: number): number {
  const far = 0.06
  if (u < left - far || u > right + far || v < top - far || v > bottom + far) return -far
  let nearest = far * far
  let inside = false
  for (let index = 0; index < loop.length; index++) {
    const a = loop[index]!
    const b = loop[(index + 1) % loop.length]!
    const ax = a[0]
    const ay = a[1]
    const bx = b[0]
    const by = b[1]
    const ex = bx - ax
    const ey = by - ay
    const px = u - ax
    const py = v - ay
    const along = Math.min(1, Math.max(0, (px * ex + py * ey) / (ex * ex + ey * ey)))
    const dx = px - along * ex
    const dy = py - along * ey
    nearest = Math.min(nearest, dx * dx + dy * dy)
    if (ay > v !== by > v && u < ax + ((v - ay) / (by - ay)) * (bx - ax)) inside = !inside
  }
  return (inside ? 1 : -1) * Math.sqrt(nearest)
}
