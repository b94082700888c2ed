import { expect, it } from 'vitest'
import { mutantOf, verdictOf, wholeFiles } from './mutants.ts'

/** `npm run test:mutated-checkpoints` tries ten thousand, each under limits of time and memory. */
const sampled = 120

it('mutated checkpoints load or are refused in a sentence', () => {
  const wholes = wholeFiles()
  const counts: Record<string, number> = {}
  for (let index = 0; index < sampled; index++) {
    const verdict = verdictOf(mutantOf(wholes, index, 0))
    counts[verdict] = (counts[verdict] ?? 0) + 1
  }
  // Mutants that are all refused at their first byte would hold nothing.
  expect(counts['loads']).toBeGreaterThan(sampled / 20)
  expect(counts['unsupported-network']).toBeGreaterThan(sampled / 20)
  expect(counts['bad-checkpoint']).toBeGreaterThan(sampled / 20)
}, 20_000)
