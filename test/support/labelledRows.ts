import type { TableRow } from '../../src/output/table.ts'
import { tableRowOf } from './tableRows.ts'

interface LabelledRowsOptions {
  readonly count: number
  readonly subjects?: number
  /** Estimates of this subject are off by so much more in yaw. */
  readonly shifted?: { readonly subject: number; readonly by: number }
  /** Yaws of labels lie within ± so many degrees, and pitches. */
  readonly reach?: number
  readonly pitchReach?: number
}

/** Rows whose errors grow with yaw, from a seed that is always the same. */
export function labelledRows({
  count,
  subjects = 6,
  shifted,
  reach = 70,
  pitchReach = 50,
}: LabelledRowsOptions): TableRow[] {
  let state = 7
  const random = () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
  return Array.from({ length: count }, (_, i) => {
    const subject = i % subjects
    const label = {
      yaw: (2 * random() - 1) * reach,
      pitch: (2 * random() - 1) * pitchReach,
      roll: (2 * random() - 1) * 30,
    }
    const size = 2 + Math.abs(label.yaw) / 10
    const off = () => (2 * random() - 1) * size
    const shift = shifted?.subject === subject ? shifted.by : 0
    return tableRowOf({
      key: `${String(i).padStart(6, '0')}.png`,
      label,
      estimate: { yaw: label.yaw + off() + shift, pitch: label.pitch + off(), roll: label.roll + off() },
      subject: `person ${subject}`,
      sequence: `person ${subject}/take ${Math.floor(i / subjects) % 2}`,
      probability: random(),
    })
  })
}
