import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from './usage.ts'

/** In the order in which they are taken. */
export const stepNames = ['machine', 'conformance', 'speed', 'pipeline', 'units'] as const
export type StepName = (typeof stepNames)[number]

const tableSchema = z.object({ title: z.string(), rows: z.array(z.array(z.string())) })
const verdictSchema = z.object({
  what: z.string(),
  aim: z.string(),
  found: z.string(),
  /** Null where it could not be measured. */
  ok: z.boolean().nullable(),
})
export type Verdict = z.infer<typeof verdictSchema>

const stepSchema = z.object({
  state: z.enum(['running', 'done', 'failed']),
  seconds: z.number(),
  /** Why it failed. */
  problem: z.string().nullable(),
  /** What was not measured, and why. */
  notes: z.array(z.string()),
  facts: z.record(z.string(), z.unknown()),
  tables: z.array(tableSchema),
  verdicts: z.array(verdictSchema),
})
type Step = z.infer<typeof stepSchema>

const reportSchema = z.object({
  /** What was measured on; steps of another machine are not kept. */
  machine: z.string(),
  headlight: z.string(),
  startedAt: z.string(),
  rehearsal: z.boolean(),
  steps: z.partialRecord(z.enum(stepNames), stepSchema),
})
type ReportData = z.infer<typeof reportSchema>

/**
 * What the GPU command found: `gpu.json` for programs and `gpu.txt` for people. Both are written anew with every finding, so
 * that a run that is cut off has left all that it knew.
 */
export class Report {
  readonly #folder: string
  readonly #data: ReportData

  /** `goesOn`: with the steps of the report that is there, if it is of the same machine and version. */
  constructor(folder: string, heading: Omit<ReportData, 'steps'>, goesOn: boolean) {
    this.#folder = folder
    try {
      mkdirSync(folder, { recursive: true })
    } catch (error) {
      throw new UsageError(
        `--out ${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
    this.#data = { ...heading, steps: goesOn ? earlierSteps(join(folder, 'gpu.json'), heading) : {} }
  }

  begin(name: StepName): StepReport {
    const step: Step = { state: 'running', seconds: 0, problem: null, notes: [], facts: {}, tables: [], verdicts: [] }
    this.#data.steps[name] = step
    return new StepReport(name, step, () => this.#save())
  }

  /** A fact that an earlier step found; undefined where it found none. */
  fact<T>(step: StepName, name: string, schema: z.ZodType<T>): T | undefined {
    return schema.safeParse(this.#data.steps[step]?.facts[name]).data
  }

  get text(): string {
    const { machine, headlight, startedAt, rehearsal, steps } = this.#data
    const lines = [`headlight ${headlight} on ${machine}, ${startedAt}`]
    if (rehearsal) lines.push('A REHEARSAL: no figure here is of a GPU.')
    const verdicts: Verdict[] = []
    for (const name of stepNames) {
      const step = steps[name]
      if (step === undefined) continue
      const state = step.state === 'done' ? '' : `, ${step.state}`
      lines.push('', `== ${name} (${step.seconds.toFixed(0)} s${state})`)
      if (step.problem !== null) lines.push(`it failed: ${step.problem}`)
      for (const { title, rows } of step.tables) lines.push('', title, aligned(rows))
      if (step.notes.length > 0) lines.push('', ...step.notes.map((note) => `- ${note}`))
      verdicts.push(...step.verdicts)
    }
    if (verdicts.length > 0) {
      const judged = verdicts.map(({ what, aim, found, ok }) => [
        ok === null ? 'not judged' : ok ? 'met' : 'MISSED',
        what,
        `${found} (aim: ${aim})`,
      ])
      lines.push('', '== verdicts', aligned([['', 'what', 'found'], ...judged]))
    }
    return `${lines.join('\n')}\n`
  }

  get isSound(): boolean {
    const steps = Object.values(this.#data.steps)
    return steps.every(({ state, verdicts }) => state === 'done' && verdicts.every(({ ok }) => ok !== false))
  }

  #save(): void {
    writeWhole(join(this.#folder, 'gpu.json'), `${JSON.stringify(this.#data, null, 1)}\n`)
    writeWhole(join(this.#folder, 'gpu.txt'), this.text)
  }
}

/** One step's part of the report. Whatever is said is on the disk at once. */
export class StepReport {
  readonly name: StepName
  readonly #step: Step
  readonly #save: () => void
  readonly #startedAt = performance.now()

  constructor(name: StepName, step: Step, save: () => void) {
    this.name = name
    this.#step = step
    this.#save = save
    this.#saved()
  }

  fact(name: string, value: unknown): void {
    this.#step.facts[name] = value
    this.#saved()
  }

  /** Adds a table whose rows come one by one; without a header when that is empty. */
  table(title: string, header: readonly string[]): (row: readonly string[]) => void {
    const rows = header.length === 0 ? [] : [[...header]]
    this.#step.tables.push({ title, rows })
    return (row) => {
      rows.push([...row])
      this.#saved()
    }
  }

  note(sentence: string): void {
    this.#step.notes.push(sentence)
    console.error(`  ${sentence}`)
    this.#saved()
  }

  verdict(verdict: Verdict): void {
    this.#step.verdicts.push(verdict)
    this.#saved()
  }

  end(problem: string | null): void {
    this.#step.state = problem === null ? 'done' : 'failed'
    this.#step.problem = problem
    this.#saved()
  }

  #saved(): void {
    this.#step.seconds = Math.round((performance.now() - this.#startedAt) / 100) / 10
    this.#save()
  }
}

function earlierSteps(path: string, heading: Omit<ReportData, 'steps'>): ReportData['steps'] {
  try {
    const earlier = reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
    const isSame = (['machine', 'headlight', 'rehearsal'] as const).every((name) => earlier[name] === heading[name])
    return isSame ? earlier.steps : {}
  } catch {
    return {}
  }
}

/** Never half a file, whenever the process ends. */
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** Columns of numbers to the right, all others to the left; the last one may be as long as it likes. */
function aligned(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const cells = (column: number): string[] => rows.map((row) => row[column] ?? '')
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...cells(column).map((cell) => cell.length)))
  const isNumeric = widths.map((_, column) =>
    cells(column)
      .slice(1)
      .every((cell) => /^[-\d.]*( %)?$/.test(cell)),
  )
  const padded = (cell: string, column: number): string =>
    isNumeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n')
}
