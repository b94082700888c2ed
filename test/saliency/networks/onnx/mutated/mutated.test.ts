import { expect, it } from 'vitest'
import { mutantOf, wholeFiles } from './mutants.ts'
import { verdictOf } from './verdict.ts'

/** `npm run test:mutated-onnx` tries ten thousand, each under limits of time and memory. */
const sampled = 150

it('mutated ONNX files load, or are refused in a sentence', async () => {
  const wholes = wholeFiles()
  const counts: Record<string, number> = {}
  for (let index = 0; index < sampled; index++) {
    const verdict = await verdictOf(mutantOf(wholes, [], index, 0))
    counts[verdict] = (counts[verdict] ?? 0) + 1
  }
  // Mutants that are all refused at their first byte would hold nothing.
  expect(counts['loads']).toBeGreaterThan(sampled / 20)
  expect(counts['runs']).toBeGreaterThan(1)
  expect(counts['unsupported-network']).toBeGreaterThan(sampled / 20)
  expect(counts['bad-checkpoint']).toBeGreaterThan(sampled / 20)
}, 20_000)
