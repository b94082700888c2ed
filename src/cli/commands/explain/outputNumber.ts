import type { OutputLayer } from '../../../saliency/networks/family.ts'
import { namedOutput, parseObjective } from '../../../saliency/objective.ts'

/** What `explain --json` prints as `output` where the objective is `output:N`. The names are a contract: add, don't rename. */
export interface OutputNumber {
  /** Of the output, as the network calls it. */
  readonly name: string
  /** From 0. */
  readonly index: number
  /** As the network gives it, whatever the objective's sign. */
  readonly value: number
}

/** Undefined where the objective is none of an output. `value` is the number that it differentiates. */
export function outputNumber(
  objective: string,
  outputs: readonly OutputLayer[],
  value: number | undefined,
): OutputNumber | undefined {
  const parsed = parseObjective(objective)
  if (parsed?.kind !== 'output' || value === undefined) return undefined
  const name = namedOutput(
    parsed.output,
    outputs.map(({ output }) => output),
  )
  if (name === undefined) throw new Error(`the network has no ${objective}`)
  return { name, index: parsed.index, value: parsed.sign * value }
}
