import { angleNames } from '../pose/euler.ts'
import { readsClasses, tellsTopClass } from '../saliency/objective.ts'
import type { Record as SampleRecord } from './record.ts'
import type { ResultOptions } from './resultSet.ts'
import { rowGeodesicError, rowLeftOutOfErrors } from './rowErrors.ts'
import { readTableColumns, type Cell, type TableSource } from './tableColumns.ts'

/** `sortedString`: text that begins like the row before, since rows are sorted by key. */
type ColumnKind = 'string' | 'sortedString' | 'double' | 'int' | 'boolean'

/** One column of `angles.parquet`. */
export interface Column {
  readonly name: string
  readonly kind: ColumnKind
  readonly nullable: boolean
  /**
   * Tells the cell from the row's others whenever the table is written. Neither a record nor a row holds it: rows that an
   * earlier version wrote would lack it, and the table would differ from that of a fresh run.
   */
  readonly derive?: (row: TableRow) => Cell
}

/**
 * One row of `angles.parquet`: a record, flat. Angles and their errors are degrees; `yawBinsEntropy` is in nats;
 * `cropX0` … are pixels of the image. Derived columns are in the file only. Besides the columns named here it has, per objective, those of
 * `objectiveColumns`, and with `--logits` one column `logits` (text that is JSON: per head the raw outputs).
 */
export interface TableRow {
  readonly [column: string]: Cell
  readonly key: string
  readonly fingerprint: string
  readonly status: string
  readonly code: string | null
  readonly message: string | null
  readonly yaw: number | null
  readonly pitch: number | null
  readonly roll: number | null
  readonly labelYaw: number | null
  readonly labelPitch: number | null
  readonly labelRoll: number | null
  readonly errorYaw: number | null
  readonly errorPitch: number | null
  readonly errorRoll: number | null
  readonly imageWidth: number | null
  readonly imageHeight: number | null
  readonly cropX0: number | null
  readonly cropY0: number | null
  readonly cropX1: number | null
  readonly cropY1: number | null
  readonly subject: string | null
  readonly sequence: string | null
  readonly frame: string | null
  /** The index of its class; only in tables with an objective `class:label`. */
  readonly class?: number | null
  /** The likeliest class and its softmax probability; only in tables with an objective `class:top` or `class:label`. */
  readonly topClass?: number | null
  readonly topClassProbability?: number | null
}

interface ObjectiveColumns {
  readonly map: string
  readonly gradient: string
  readonly gradientMean: string
  readonly gradientStd: string
  readonly gradientMaxAbs: string
}

/** By objective: there are a handful, asked for with every row. */
const knownColumns = new Map<string, ObjectiveColumns>()

/**
 * Columns that one objective adds, e.g. for `-yaw`: `mapMinusYaw`, `gradientMinusYaw` (key of the stored gradient),
 * `gradientMeanMinusYaw`, `gradientStdMinusYaw`, `gradientMaxAbsMinusYaw`. Names that SQL takes without quotes:
 * `yaw:bin:3` → `…YawBin3`, `class:2` → `…Class2`, `output:fc_lm:5` → `…Output_fc_lm_5`.
 */
export function objectiveColumns(objective: string): ObjectiveColumns {
  const known = knownColumns.get(objective)
  if (known !== undefined) return known
  const words = objective.replace(/^-/, 'minus:').split(':')
  const named = /^(-?)output:(.+):(\d+)$/.exec(objective)
  // The name of an output is kept apart from the number: `fc:13` and `fc1:3` are two columns.
  const suffix = named
    ? `${named[1] === '' ? '' : 'Minus'}Output_${named[2]?.replaceAll('.', '__').replaceAll('-', '___')}_${named[3]}`
    : words.map(capitalised).join('')
  const columns: ObjectiveColumns = {
    map: `map${suffix}`,
    gradient: `gradient${suffix}`,
    gradientMean: `gradientMean${suffix}`,
    gradientStd: `gradientStd${suffix}`,
    gradientMaxAbs: `gradientMaxAbs${suffix}`,
  }
  knownColumns.set(objective, columns)
  return columns
}

/** All columns of a result set's table, in order. The same options always give the same columns. */
export function tableColumns(options: Pick<ResultOptions, 'objectives' | 'logits'>): Column[] {
  const column = (kind: ColumnKind, nullable = true) => ({ kind, nullable })
  const perAngle = (name: (angle: string) => string, kind: ColumnKind): Column[] =>
    angleNames.map((angle) => ({ name: name(angle), ...column(kind) }))
  const named = (kind: ColumnKind, ...names: string[]): Column[] => names.map((name) => ({ name, ...column(kind) }))
  return [
    { name: 'key', ...column('sortedString', false) },
    { name: 'fingerprint', ...column('string', false) },
    { name: 'status', ...column('string', false) },
    ...named('string', 'code', 'message'),
    ...perAngle((angle) => angle, 'double'),
    ...perAngle((angle) => `label${capitalised(angle)}`, 'double'),
    ...perAngle((angle) => `error${capitalised(angle)}`, 'double'),
    { name: 'errorGeodesic', ...column('double'), derive: rowGeodesicError },
    { name: 'leftOutOfErrors', ...column('boolean'), derive: rowLeftOutOfErrors },
    ...angleNames.flatMap((angle) => [
      ...named('int', `${angle}TopBin`),
      ...named('double', `${angle}TopProbability`, `${angle}BinsStd`, `${angle}BinsEntropy`),
    ]),
    ...named('int', 'imageWidth', 'imageHeight'),
    ...named('double', 'cropX0', 'cropY0', 'cropX1', 'cropY1'),
    ...named('string', 'subject', 'sequence', 'frame'),
    ...(readsClasses(options.objectives) ? named('int', 'class') : []),
    ...(tellsTopClass(options.objectives)
      ? [...named('int', 'topClass'), ...named('double', 'topClassProbability')]
      : []),
    ...options.objectives.flatMap((objective) => {
      const names = objectiveColumns(objective)
      return [
        ...named('sortedString', names.map, names.gradient),
        ...named('double', names.gradientMean, names.gradientStd, names.gradientMaxAbs),
      ]
    }),
    ...(options.logits ? named('string', 'logits') : []),
  ]
}

/** A record as the table holds it. Columns that do not apply (all but the reason, for a failed one) are null. */
export function tableRow(record: SampleRecord): TableRow {
  const { key, fingerprint, status } = record
  if (record.status === 'failed') {
    return { ...nothing, key, fingerprint, status, code: record.code, message: record.message }
  }
  const { angles, label, error, bins, crop } = record
  // One literal, then assignments in one order: all rows share their shape, which makes them ten times cheaper to build
  // and to collect than objects put together from parts.
  const row: { -readonly [Name in keyof TableRow]: TableRow[Name] } = {
    key,
    fingerprint,
    status,
    code: null,
    message: record.labelFault ?? null,
    yaw: angles.yaw,
    pitch: angles.pitch,
    roll: angles.roll,
    labelYaw: label === null ? null : label.yaw,
    labelPitch: label === null ? null : label.pitch,
    labelRoll: label === null ? null : label.roll,
    errorYaw: error === null ? null : error.yaw,
    errorPitch: error === null ? null : error.pitch,
    errorRoll: error === null ? null : error.roll,
    yawTopBin: bins.yaw?.topBin ?? null,
    yawTopProbability: bins.yaw?.topProbability ?? null,
    yawBinsStd: bins.yaw?.binsStd ?? null,
    yawBinsEntropy: bins.yaw?.binsEntropy ?? null,
    pitchTopBin: bins.pitch?.topBin ?? null,
    pitchTopProbability: bins.pitch?.topProbability ?? null,
    pitchBinsStd: bins.pitch?.binsStd ?? null,
    pitchBinsEntropy: bins.pitch?.binsEntropy ?? null,
    rollTopBin: bins.roll?.topBin ?? null,
    rollTopProbability: bins.roll?.topProbability ?? null,
    rollBinsStd: bins.roll?.binsStd ?? null,
    rollBinsEntropy: bins.roll?.binsEntropy ?? null,
    imageWidth: record.imageWidth,
    imageHeight: record.imageHeight,
    cropX0: crop[0],
    cropY0: crop[1],
    cropX1: crop[2],
    cropY1: crop[3],
    subject: record.subject,
    sequence: record.sequence,
    frame: record.frame,
  }
  for (const [objective, left] of Object.entries(record.objectives)) {
    const names = objectiveColumns(objective)
    row[names.map] = left.map
    row[names.gradient] = left.gradient
    row[names.gradientMean] = left.gradientMean
    row[names.gradientStd] = left.gradientStd
    row[names.gradientMaxAbs] = left.gradientMaxAbs
  }
  if (record.class !== undefined) row['class'] = record.class
  if (record.topClass !== undefined) row['topClass'] = record.topClass
  if (record.topClassProbability !== undefined) row['topClassProbability'] = record.topClassProbability
  if (record.logits !== undefined) row['logits'] = JSON.stringify(record.logits)
  return row
}

/**
 * The rows of an `angles.parquet` in file order, one row group decoded at a time. `columns` leaves the others
 * undecoded (their cells are absent then); columns that the file lacks, since an older headlight wrote it, are null.
 */
export function readTable(table: TableSource, columns?: undefined): AsyncGenerator<TableRow>
export function readTable<Name extends string>(
  table: TableSource,
  columns: readonly Name[],
): AsyncGenerator<Pick<TableRow, Name>>
export function readTable(table: TableSource, columns?: readonly string[]): AsyncGenerator<TableRow>
export async function* readTable(table: TableSource, columns?: readonly string[]): AsyncGenerator<TableRow> {
  for await (const { rows, cells } of readTableColumns(table, columns)) {
    // One row after the other: as objects, the rows of a group take many times what their columns do.
    for (let i = 0; i < rows; i++) {
      const row: Record<string, Cell> = {}
      for (const [name, column] of cells) row[name] = column[i] ?? null
      yield row as TableRow
    }
  }
}

const nothing = {
  yaw: null,
  pitch: null,
  roll: null,
  labelYaw: null,
  labelPitch: null,
  labelRoll: null,
  errorYaw: null,
  errorPitch: null,
  errorRoll: null,
  imageWidth: null,
  imageHeight: null,
  cropX0: null,
  cropY0: null,
  cropX1: null,
  cropY1: null,
  subject: null,
  sequence: null,
  frame: null,
} as const

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
