import type { ReportRow } from './selection.ts'

/** Failed samples of one code: how many, and the first of them in the table's order. */
export interface FailureGroup {
  readonly code: string
  readonly count: number
  readonly examples: readonly { readonly key: string; readonly message: string }[]
}

const examplesPerCode = 3

/** Counts failed samples by code and keeps the first few of each. */
export class FailureExamples {
  readonly #groups = new Map<string, { count: number; examples: { key: string; message: string }[] }>()

  add(row: ReportRow): void {
    if (row.status !== 'failed') return
    const code = row.code ?? 'unknown'
    const group = this.#groups.get(code) ?? { count: 0, examples: [] }
    group.count++
    if (group.examples.length < examplesPerCode) group.examples.push({ key: row.key, message: row.message ?? '' })
    this.#groups.set(code, group)
  }

  /** Most frequent code first. */
  finish(): FailureGroup[] {
    const groups = [...this.#groups].map(([code, group]) => ({ code, ...group }))
    return groups.sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1))
  }
}
