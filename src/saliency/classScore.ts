/** What a classifier says of one class. */
export interface ClassScore {
  /** From 0, in the order of the network's outputs. */
  readonly class: number
  /** Softmax over all classes. */
  readonly probability: number
  /** The output as the network gives it. */
  readonly logit: number
}

/**
 * The score of one class out of the logits of all of them, softmax in float64. Raises an error for a class that there is
 * not.
 */
export function classScore(logits: Float32Array, index: number): ClassScore {
  const logit = logits[index]
  if (logit === undefined) throw new Error(`there is no class ${index} among ${logits.length}`)
  // Relative to the largest: exp of a plain logit overflows from 710 on.
  const largest = logits.reduce((most, one) => Math.max(most, one), -Infinity)
  const total = logits.reduce((sum, one) => sum + Math.exp(one - largest), 0)
  return { class: index, probability: Math.exp(logit - largest) / total, logit }
}

/** The score of the likeliest class; the first of equals. */
export function topClassScore(logits: Float32Array): ClassScore {
  let top = 0
  for (const [index, logit] of logits.entries()) if (logit > (logits[top] ?? 0)) top = index
  return classScore(logits, top)
}
