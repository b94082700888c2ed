import { describeEngine } from '../../support/engineConformance.ts'

describeEngine({ engine: 'reference' })
