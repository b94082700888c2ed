import { classScore, topClassScore, type ClassScore } from '../../../saliency/classScore.ts'
import { parseObjective } from '../../../saliency/objective.ts'

/** What `explain --json` prints of a classifier as `classes`. The names are a contract: add, don't rename. */
export interface ExplainedClasses {
  /** The likeliest class. */
  readonly top: ClassScore
  /** The class whose map it is; absent where the objective is no class, as `output:N`. */
  readonly explained?: ClassScore
}

/** `ownClass` is that of the image, for the objective `class:label`. */
export function explainedClasses(
  logits: Float32Array,
  objective: string,
  ownClass: number | undefined,
): ExplainedClasses {
  const top = topClassScore(logits)
  const parsed = parseObjective(objective)
  if (parsed?.kind === 'topClass') return { top, explained: top }
  const index = parsed?.kind === 'class' ? parsed.index : ownClass
  return index === undefined ? { top } : { top, explained: classScore(logits, index) }
}

/**
 * A row for the likeliest class, and one for the class that was asked for by number or label. `count` is how many classes
 * there are: one alone is as likely as can be whatever its number, which tells nothing.
 */
export function classTable({ top, explained }: ExplainedClasses, objective: string, count: number): string {
  const name = objective.replace(/^-/, '')
  const rows = [
    ['class:top', top] as const,
    ...(explained === undefined || name === 'class:top' ? [] : [[name, explained] as const]),
  ]
  const wide = Math.max(...rows.map(([row]) => row.length))
  const line = (cells: readonly [string, string, string, string]) =>
    `${cells[0].padEnd(wide)}${cells[1].padStart(8)}${cells[2].padStart(13)}${cells[3].padStart(10)}\n`
  const lines = rows.map(([row, { class: index, probability, logit }]) =>
    line([row, String(index), count === 1 ? '–' : probability.toFixed(4), logit.toFixed(2)]),
  )
  return `${line(['', 'class', 'probability', 'logit'])}${lines.join('')}`
}
