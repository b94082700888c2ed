import { tableRow, type TableRow } from '../../src/output/table.ts'
import { angleError, angleNames, type AngleName, type Pose } from '../../src/pose/euler.ts'

interface RowParts {
  readonly key?: string
  /** Failed, with this code; nothing else counts then. */
  readonly code?: string
  readonly estimate?: Pose
  readonly label?: Pose | null
  /** Those that the network gives. */
  readonly angles?: readonly AngleName[]
  readonly subject?: string | null
  readonly sequence?: string | null
  /** Of each angle's likeliest bin; null: not a binned head. */
  readonly probability?: number | null
}

const nowhere: Pose = { yaw: 0, pitch: 0, roll: 0 }

/** A row of the table, as far as these parts tell. */
export function tableRowOf(parts: RowParts): TableRow {
  const { key = 'a.jpg', code, estimate = nowhere, label = null, angles = angleNames } = parts
  const { subject = null, sequence = null, probability = null } = parts
  if (code !== undefined) return tableRow({ key, fingerprint: 'f', status: 'failed', code, message: 'It failed.' })
  const each = <Value>(value: (angle: AngleName) => Value) => {
    const given = (angle: AngleName) => (angles.includes(angle) ? value(angle) : null)
    return { yaw: given('yaw'), pitch: given('pitch'), roll: given('roll') }
  }
  return tableRow({
    key,
    fingerprint: 'f',
    status: 'ok',
    angles: each((angle) => estimate[angle]),
    label,
    error: label === null ? null : each((angle) => angleError(estimate[angle], label[angle])),
    bins: each(() =>
      probability === null ? null : { topBin: 0, topProbability: probability, binsStd: 1, binsEntropy: 1 },
    ),
    imageWidth: 10,
    imageHeight: 10,
    crop: [0, 0, 10, 10],
    subject,
    sequence,
    frame: null,
    objectives: {},
  })
}
