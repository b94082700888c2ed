import type { AngleName } from '../../pose/euler.ts'
import { short } from '../plotFrame.ts'

export type MarkedAngle = AngleName | 'geodesic'

/** Told apart by shape and dash, not by colour alone. */
const marks: Readonly<Record<MarkedAngle, { shape: (r: number) => string; dash: string }>> = {
  // Two half circles: a path, as the others are.
  yaw: {
    shape: (r) =>
      `m${short(-r)} 0a${short(r)} ${short(r)} 0 1 0 ${short(2 * r)} 0a${short(r)} ${short(r)} 0 1 0 ${short(-2 * r)} 0z`,
    dash: '',
  },
  pitch: { shape: (r) => `m${short(-r)} ${short(-r)}h${short(2 * r)}v${short(2 * r)}h${short(-2 * r)}z`, dash: '6 3' },
  roll: {
    shape: (r) => `m0 ${short(-1.3 * r)}l${short(1.25 * r)} ${short(2.2 * r)}h${short(-2.5 * r)}z`,
    dash: '2 2.5',
  },
  geodesic: {
    shape: (r) =>
      `m0 ${short(-1.4 * r)}l${short(1.4 * r)} ${short(1.4 * r)}l${short(-1.4 * r)} ${short(1.4 * r)}l${short(-1.4 * r)} ${short(-1.4 * r)}z`,
    dash: '8 2 2 2',
  },
}

/** Path data of the angle's mark around a point. */
export function markPath(angle: MarkedAngle, x: number, y: number, radius = 3): string {
  return `M${short(x)} ${short(y)}${marks[angle].shape(radius)}`
}

/** An attribute with a blank ahead; empty for a whole line. */
export function dashOf(angle: MarkedAngle): string {
  return marks[angle].dash === '' ? '' : ` stroke-dasharray="${marks[angle].dash}"`
}

/** A row of marks with their names, from a point on to the right. */
export function angleLegend(angles: readonly MarkedAngle[], x: number, y: number): string {
  const entries = angles.map((angle, i) => {
    const left = x + i * 66
    return `<path class="line ${angle}"${dashOf(angle)} d="M${left} ${y}h16"/><path class="${angle}" d="${markPath(angle, left + 8, y)}"/><text x="${left + 21}" y="${y + 4}">${angle}</text>`
  })
  return entries.join('')
}
