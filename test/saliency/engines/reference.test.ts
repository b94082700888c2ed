import { describeEngine, everything } from '../../support/engineConformance.ts'

describeEngine({
  ...everything,
  engine: 'reference',
  // Everything in one: each scope and the sum of objectives; others would be the same loops again.
  objectives: ['sum'],
  batch: 1,
})
