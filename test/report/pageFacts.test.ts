import { expect, test } from 'vitest'
import type { ResultSet } from '../../src/output/resultSet.ts'
import type { Summary } from '../../src/output/summary.ts'
import { limitsSection } from '../../src/report/pageCautions.ts'
import { factsSection } from '../../src/report/pageFacts.ts'
import { emptySummary as summary } from '../support/emptySummary.ts'
import { resultSet } from '../support/shard.ts'

const told = (options: Partial<ResultSet['options']>, activations?: Summary['activations']) => {
  const counted = activations === undefined ? summary : { ...summary, activations }
  return /<dt>activations<\/dt><dd>(.*?)<\/dd>/.exec(factsSection(resultSet('file:///d/', options), counted))?.[1]
}

test('the report says how many activations are guided, where they were counted', () => {
  const relu6 = { kind: 'relu6', count: 35, guided: 35 }
  expect(told({}, [relu6])).toBe('35 ReLU6 guided (0 &lt; x &lt; 6)')
  expect(told({ relu6: 'plain' }, [{ ...relu6, guided: 0 }])).toBe('35 ReLU6 plain (--relu6 plain)')
  expect(told({ scope: 'stem' }, [{ kind: 'relu', count: 49, guided: 1 }])).toBe(
    '1 ReLU guided, 48 ReLUs plain (scope stem)',
  )
})

test.each<[Partial<ResultSet['options']>, string]>([
  [{}, 'all guided (scope all)'],
  [{ relu6: 'plain' }, 'all but ReLU6 guided (scope all)'],
  [{ scope: 'stem' }, 'the first guided, the others plain (scope stem)'],
  [{ scope: 'none' }, 'all plain (scope none)'],
])('and of %j what was asked for, where they were not', (options, text) => {
  expect(told(options)).toBe(text)
})

test('weights in a second file are named with their digest, and nothing is said of them where there is none', () => {
  const set = resultSet('file:///d/')
  const externalData = { file: 'tiny.pkl.data', digest: '1'.repeat(64) }
  const text = factsSection({ ...set, network: { ...set.network, externalData } }, summary)
  expect(text).toContain(
    `<dt>its weights</dt><dd><code>tiny.pkl.data</code></dd><dt>their SHA-256</dt><dd><code>${externalData.digest}</code></dd>`,
  )
  expect(factsSection(set, summary)).not.toContain('its weights')
})

test.each(['all', 'stem', 'none'] as const)('its words on scope %s are plain', (scope) => {
  expect(limitsSection(resultSet('file:///d/', { scope }))).not.toContain('rectifier')
})
