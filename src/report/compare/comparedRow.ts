import type { MapPlace } from '../../output/mapPlaces.ts'
import { reportColumns, type ReportRow } from '../selection.ts'

/** The columns of a table row that a comparison needs; a row of `angles.parquet` has them all. */
export const comparedColumns = [...reportColumns, 'fingerprint', 'subject', 'sequence'] as const

export interface ComparedRow extends ReportRow {
  readonly fingerprint: string
  readonly subject: string | null
  readonly sequence: string | null
  /** Where its small maps lie. Null: it has none. Undefined: nobody has written down where. */
  readonly place: MapPlace | null | undefined
}
