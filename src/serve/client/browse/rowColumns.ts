import type { Measure } from '../../measures.ts'
import type { Selection } from '../../selection.ts'
import type { Facets, RowFacts } from '../../wire.ts'
import { angleText, errorText } from './angleText.ts'

/** A column of the table beside the key. */
export interface RowColumn {
  readonly name: string
  /** What a click on its head sorts by; null: nothing does. */
  readonly measure: Measure | null
  readonly text: (row: RowFacts) => string | null
  /** Characters that fit into it. */
  readonly width: number
}

interface NumberColumn {
  readonly name: string
  readonly measure: Measure
  /** Other measures that are the same number but for its sign. */
  readonly also?: readonly Measure[]
  /** It is there only while the images are sorted by it. */
  readonly isExtra?: true
  readonly text: (row: RowFacts) => string
}

type Angle = 0 | 1 | 2
const estimate = (angle: Angle) => (row: RowFacts) => angleText(row.estimate[angle])
const label = (angle: Angle) => (row: RowFacts) => angleText(row.label[angle])
const error = (angle: Angle) => (row: RowFacts) => errorText(row.error[angle])
const pose = (angle: Angle) => (row: RowFacts) => angleText(row.label[angle] ?? row.estimate[angle])
const confidence = (angle: Angle) => (row: RowFacts) => share(row.confidence[angle])
const share = (value: number | null) => (value === null ? '–' : value.toFixed(2))
const number = (value: number | null) => (value === null ? '–' : String(value))

const numbers: readonly NumberColumn[] = [
  { name: 'mean error', measure: 'meanError', text: (row) => angleText(row.meanError) },
  { name: 'yaw error', measure: 'absErrorYaw', also: ['errorYaw'], text: error(0) },
  { name: 'pitch error', measure: 'absErrorPitch', also: ['errorPitch'], text: error(1) },
  { name: 'roll error', measure: 'absErrorRoll', also: ['errorRoll'], text: error(2) },
  { name: 'geodesic error', measure: 'errorGeodesic', isExtra: true, text: (row) => angleText(row.errorGeodesic) },
  { name: 'yaw', measure: 'yaw', text: estimate(0) },
  { name: 'pitch', measure: 'pitch', text: estimate(1) },
  { name: 'roll', measure: 'roll', text: estimate(2) },
  { name: 'label yaw', measure: 'labelYaw', text: label(0) },
  { name: 'label pitch', measure: 'labelPitch', text: label(1) },
  { name: 'label roll', measure: 'labelRoll', text: label(2) },
  { name: 'pose yaw', measure: 'poseYaw', also: ['absPoseYaw'], isExtra: true, text: pose(0) },
  { name: 'pose pitch', measure: 'posePitch', isExtra: true, text: pose(1) },
  { name: 'pose roll', measure: 'poseRoll', isExtra: true, text: pose(2) },
  { name: 'confidence', measure: 'yawTopProbability', text: confidence(0) },
  { name: 'confidence in pitch', measure: 'pitchTopProbability', isExtra: true, text: confidence(1) },
  { name: 'confidence in roll', measure: 'rollTopProbability', isExtra: true, text: confidence(2) },
  { name: 'class', measure: 'class', text: (row) => number(row.class) },
  { name: 'likeliest class', measure: 'topClass', text: (row) => number(row.topClass) },
  { name: 'probability', measure: 'topClassProbability', text: (row) => share(row.topClassProbability) },
]

/** No column of names is wider; what does not fit is told on hovering. */
const widestName = 24

/** The columns in which some image has anything: what the images are sorted by, names, and the other numbers. */
export function rowColumns(facets: Facets, sort: Selection['sort']): RowColumn[] {
  const known = new Set(facets.measures.map(({ measure }) => measure))
  const isSort = ({ measure, also }: NumberColumn) =>
    sort !== 'key' && (measure === sort || also?.includes(sort) === true)
  const shown = numbers
    .filter((column) => isSort(column) || (known.has(column.measure) && column.isExtra !== true))
    .map((column): RowColumn & { isSort: boolean } => ({
      name: column.name,
      measure: isSort(column) && sort !== 'key' ? sort : column.measure,
      text: column.text,
      // The arrow beside the name says that it is sorted by.
      width: Math.max(7, column.name.length + 2),
      isSort: isSort(column),
    }))
  const names = [
    nameColumn('subject', facets.subjects, ({ subject }) => subject),
    nameColumn('sequence', facets.sequences, ({ sequence }) => sequence),
    ...(facets.failed === 0 ? [] : [nameColumn('failed', facets.codes, ({ code }) => code)]),
  ]
  return [
    ...shown.filter((column) => column.isSort),
    ...names.flatMap((column) => column ?? []),
    ...shown.filter((column) => !column.isSort),
  ]
}

function nameColumn(
  name: string,
  { named }: Facets['codes'],
  text: (row: RowFacts) => string | null,
): RowColumn | undefined {
  const longest = Math.max(0, ...named.map(([each]) => each.length))
  if (longest === 0) return undefined
  return { name, measure: null, text, width: Math.min(widestName, Math.max(name.length, longest) + 1) }
}
