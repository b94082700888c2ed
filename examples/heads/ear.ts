import { gridTriangles } from './mesh.ts'

const [rings, spokes] = [6, 16] as const

/** An ear at rest: a disc with a rim, a hollow and a lobe, standing off the head towards the back. */
export function ear(side: 1 | -1, size: number): { positions: Float64Array; marks: Float64Array } {
  const positions = new Float64Array(3 * rings * spokes)
  const marks = new Float64Array(5 * rings * spokes)
  const flare = 0.5
  for (let ring = 0; ring < rings; ring++) {
    const reach = ring / (rings - 1)
    const height = [0.1, 0.05, 0.15, 0.75, 0.8, 0][ring]!
    for (let spoke = 0; spoke < spokes; spoke++) {
      const angle = (2 * Math.PI * spoke) / spokes
      const [along, down] = [Math.cos(angle) * reach, Math.sin(angle) * reach]
      // Broad above, narrow at the lobe; the front edge lies flat against the cheek.
      const back = size * (along * (1.75 - 0.5 * down) + 1.1)
      const low = size * down * 3.1
      const off = size * (along < 0 ? height * 0.4 : height)
      const vertex = ring * spokes + spoke
      positions[3 * vertex] = side * (7.35 + back * Math.sin(flare) + off * Math.cos(flare))
      positions[3 * vertex + 1] = 1.1 + low
      positions[3 * vertex + 2] = 0.7 + back * Math.cos(flare) - off * Math.sin(flare) - 0.18 * low
      // Not a place but how deep in the hollow: the shader darkens by it.
      marks[5 * vertex] = reach < 0.5 ? 1 : reach < 0.7 ? 0.5 : 0
    }
  }
  return { positions, marks }
}

export function earTriangles(side: 1 | -1): Uint32Array {
  const triangles = gridTriangles(rings, spokes, true)
  return side === 1 ? triangles.map((_, at) => triangles[at - (at % 3) + ((3 - (at % 3)) % 3)]!) : triangles
}
