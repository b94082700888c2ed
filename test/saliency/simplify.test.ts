import { describe, expect, it } from 'vitest'
import type { Node } from '../../src/saliency/graph.ts'
import { make } from '../../src/saliency/ops.ts'
import { simplifyNetwork } from '../../src/saliency/simplify.ts'

describe('concatenations that begin alike', () => {
  const named = (name: string): Node => make('input', [], { name, shape: [1, 2, 2, 2], dtype: 'float32' })
  const [a, b, c, d] = [named('a'), named('b'), named('c'), named('d')] as const
  const joined = (parts: readonly Node[], axis = 1): Node => make('concat', parts, { axis })

  /** What becomes of the last, once the others stand before it. */
  function simplified(...roots: readonly Node[]): { last: readonly Node[]; before: readonly (Node | undefined)[] } {
    const rewritten = simplifyNetwork(roots)
    const [last, ...before] = roots.toReversed().map((root) => rewritten.get(root))
    return { last: last?.inputs ?? [], before }
  }

  it('are nested, each in the longest before it', () => {
    const { last, before } = simplified(joined([a, b]), joined([a, b, c]), joined([a, b, c, d]))
    expect(last).toEqual([before[0], d])
    expect(before[0]?.inputs).toEqual([before[1], c])
  })

  it('stay apart along different axes', () => {
    expect(simplified(joined([a, b], 2), joined([a, b, c])).last).toEqual([a, b, c])
  })

  it('stay apart where they have only their first part in common', () => {
    expect(simplified(joined([a]), joined([a, b, c])).last).toEqual([a, b, c])
    expect(simplified(joined([a, b]), joined([a, c, b])).last).toEqual([a, c, b])
  })
})
