import type { Mesh } from './mesh.ts'

/** A pinhole: a point (x, y, z) is seen at (focal · x / z + centreX, focal · y / z + centreY), in samples. */
export interface Camera {
  readonly width: number
  readonly height: number
  readonly focal: number
  readonly centreX: number
  readonly centreY: number
}

/** What each sample shows. A sample is a point of the picture; a pixel is made of several. */
export class Samples {
  readonly width: number
  readonly height: number
  /** 1 / z of what is nearest; 0 where nothing is. */
  readonly nearness: Float32Array
  /** Index of the mesh, and of the triangle's first entry in its `triangles`; −1 for none. */
  readonly mesh: Int8Array
  readonly triangle: Int32Array
  /** Weights of the triangle's second and third vertex. */
  readonly second: Float32Array
  readonly third: Float32Array

  constructor(width: number, height: number) {
    const count = width * height
    this.width = width
    this.height = height
    this.nearness = new Float32Array(count)
    this.mesh = new Int8Array(count)
    this.triangle = new Int32Array(count)
    this.second = new Float32Array(count)
    this.third = new Float32Array(count)
  }

  clear(): void {
    this.nearness.fill(0)
    this.mesh.fill(-1)
  }

  /** Draws a mesh given in the camera's axes: per sample, whatever is nearest stays. */
  draw(mesh: Mesh, index: number, camera: Camera): void {
    const { positions, triangles, twoSided } = mesh
    const vertices = positions.length / 3
    const screen = new Float64Array(3 * vertices)
    for (let at = 0; at < screen.length; at += 3) {
      const near = 1 / Math.max(1, positions[at + 2]!)
      screen[at] = camera.focal * positions[at]! * near + camera.centreX - 0.5
      screen[at + 1] = camera.focal * positions[at + 1]! * near + camera.centreY - 0.5
      screen[at + 2] = near
    }
    for (let at = 0; at < triangles.length; at += 3) {
      const a = 3 * triangles[at]!
      const b = 3 * triangles[at + 1]!
      const c = 3 * triangles[at + 2]!
      const ax = screen[a]!
      const ay = screen[a + 1]!
      const bx = screen[b]!
      const by = screen[b + 1]!
      const cx = screen[c]!
      const cy = screen[c + 1]!
      const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
      // With y down, the outside of a closed body has negative area.
      if (area === 0 || (area > 0 && !twoSided)) continue
      this.#fill(at, index, ax, ay, bx, by, cx, cy, area, screen[a + 2]!, screen[b + 2]!, screen[c + 2]!)
    }
  }

  #fill(
    triangle: number,
    mesh: number,
    ax: number,
    ay: number,
    bx: number,
    by: number,
    cx: number,
    cy: number,
    area: number,
    az: number,
    bz: number,
    cz: number,
  ): void {
    const { width, height, nearness } = this
    const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx)))
    const right = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx)))
    const top = Math.max(0, Math.ceil(Math.min(ay, by, cy)))
    const bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy)))
    // The weights of the second and third vertex are linear in x and y.
    const secondX = (cy - ay) / area
    const secondY = -(cx - ax) / area
    const thirdX = -(by - ay) / area
    const thirdY = (bx - ax) / area
    for (let y = top; y <= bottom; y++) {
      let second = (left - ax) * secondX + (y - ay) * secondY
      let third = (left - ax) * thirdX + (y - ay) * thirdY
      let at = y * width + left
      for (let x = left; x <= right; x++, at++, second += secondX, third += thirdX) {
        if (second < 0 || third < 0 || second + third > 1) continue
        const near = az + second * (bz - az) + third * (cz - az)
        if (near <= nearness[at]!) continue
        nearness[at] = near
        this.mesh[at] = mesh
        this.triangle[at] = triangle
        this.second[at] = second
        this.third[at] = third
      }
    }
  }
}
