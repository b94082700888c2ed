import { describeEngine } from './conformance.ts'

describeEngine({
  engine: 'reference',
  operationTolerance: 2e-6,
  graphTolerance: 1e-5,
  scopes: ['all', 'stem', 'none'],
  // Everything in one: each scope and the sum of objectives; others would be the same loops again.
  objectives: ['sum'],
  images: 2,
  batch: 1,
})
