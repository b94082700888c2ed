import type { Aggregates } from '../../output/aggregates.ts'
import { rowPose } from '../../output/rowPose.ts'
import type { TableRow } from '../../output/table.ts'
import type { Cell } from '../../output/tableColumns.ts'
import { angleNames, type AngleName } from '../../pose/euler.ts'
import { poseCellCorner } from '../../pose/poseCell.ts'
import { errorBinEdges } from './errorBins.ts'
import { ErrorSums } from './errorSums.ts'
import { MeasuredRow } from './measuredRow.ts'
import { NameGroups } from './nameGroups.ts'

const tenths = 10

/**
 * Turns the rows of a run's table into `aggregates.json`, in memory that does not grow with the dataset. Feed every row,
 * in the order of keys: which names are counted apart depends on it, and nothing else does. Equal rows give equal bytes.
 */
export class Aggregator {
  readonly #row = new MeasuredRow()
  readonly #sums = new ErrorSums()
  readonly #all = this.#sums.open()
  readonly #placedBy = { label: 0, estimate: 0, none: 0 }
  readonly #cells = new Map<number, number>()
  readonly #subjects = new NameGroups(this.#sums)
  readonly #sequences = new NameGroups(this.#sums)
  readonly #failures = new Map<string, number>()
  /** By angle of a binned head, the group of each tenth. */
  readonly #confidence = new Map<AngleName, readonly number[]>()

  addRow(row: TableRow): void {
    if (row.status === 'failed') {
      const code = row.code ?? 'unknown'
      this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1)
      return
    }
    this.#row.measure(row)
    this.#sums.add(this.#all, this.#row)
    this.#place(row)
    this.#subjects.add(row.subject, this.#row)
    this.#sequences.add(row.sequence, this.#row)
    this.#weigh('yaw', row['yawTopProbability'])
    this.#weigh('pitch', row['pitchTopProbability'])
    this.#weigh('roll', row['rollTopProbability'])
  }

  finish(): Aggregates {
    const cells = [...this.#cells].sort(([a], [b]) => a - b)
    const failures = [...this.#failures].sort(([a], [b]) => (a < b ? -1 : 1))
    const confidence: Aggregates['confidence'] = {}
    for (const angle of angleNames) {
      const groups = this.#confidence.get(angle)
      if (groups === undefined) continue
      confidence[angle] = groups.map((group) => ({ rows: this.#sums.rows(group), ...this.#sums.errors(group, angle) }))
    }
    return {
      schema: 1,
      errorBinEdges: [...errorBinEdges],
      all: this.#sums.group(this.#all),
      placedBy: { ...this.#placedBy },
      cells: cells.map(([cell, group]) => ({ ...poseCellCorner(cell), ...this.#sums.group(group) })),
      subjects: this.#subjects.finish(),
      sequences: this.#sequences.finish(),
      failures: Object.fromEntries(failures),
      confidence,
    }
  }

  #place(row: TableRow): void {
    const pose = rowPose(row)
    this.#placedBy[pose === null ? 'none' : pose.by]++
    if (pose === null) return
    let group = this.#cells.get(pose.cell)
    if (group === undefined) this.#cells.set(pose.cell, (group = this.#sums.open()))
    this.#sums.add(group, this.#row)
  }

  #weigh(angle: AngleName, probability: Cell | undefined): void {
    if (typeof probability !== 'number') return
    let groups = this.#confidence.get(angle)
    if (groups === undefined) {
      groups = Array.from({ length: tenths }, () => this.#sums.open())
      this.#confidence.set(angle, groups)
    }
    const group = groups[Math.min(tenths - 1, Math.floor(probability * tenths))]
    if (group !== undefined) this.#sums.addKind(group, angle, this.#row)
  }
}
